#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace suanli::cli {

Output::Output(const std::string& file) : name_(file.empty() || file == "-" ? "standard output" : file) {
  if (name_ == "standard output") return;
  file_ = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) throw UserError(file, std::string("expected a file that can be written: ") + std::strerror(errno));
}

Output::~Output() {
  if (file_ > STDOUT_FILENO) ::close(file_);
}

void Output::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw EnvironmentError(name_, std::string("cannot be written: ") + std::strerror(errno));
    text.remove_prefix(static_cast<size_t>(count));
  }
}

void Output::close() {
  const int file = file_;
  file_ = -1;
  if (file > STDOUT_FILENO && ::close(file) != 0) {
    throw EnvironmentError(name_, std::string("cannot be written: ") + std::strerror(errno));
  }
}

}  // namespace suanli::cli
