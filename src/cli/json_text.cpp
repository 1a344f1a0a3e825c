#include "cli/json_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace suanli::cli {

void append_number(std::string& out, float value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, result.ptr);
}

void append_string(std::string& out, std::string_view text) {
  constexpr const char* kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_numbers(std::string& out, std::span<const float> values) {
  out += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    append_number(out, values[i]);
  }
  out += ']';
}

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
