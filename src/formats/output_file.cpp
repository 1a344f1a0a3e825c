#include "formats/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"

namespace suanli {

void fail_with_errno(const std::filesystem::path& path, std::string_view what) {
  const int error = errno;
  throw EnvironmentError(path.string(), concat(what, ": ", std::strerror(error)));
}

OutputFile::OutputFile(std::filesystem::path file)
    : file_(std::move(file)), folder_(file_.has_parent_path() ? file_.parent_path() : std::filesystem::path(".")) {
  temporary_ = (folder_ / concat('.', file_.filename(), ".XXXXXX")).string();
  descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail_with_errno(file_, "cannot be created");
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), std::min(bytes.size(), size_t{1} << 30));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_with_errno(file_, "cannot be written");
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

void OutputFile::commit() {
  if (::fchmod(descriptor_, 0644) != 0) fail_with_errno(file_, "cannot be made readable");
  if (::fsync(descriptor_) != 0) fail_with_errno(file_, "cannot be synced");
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_with_errno(file_, "cannot be closed");
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) fail_with_errno(file_, "cannot be renamed into place");
  temporary_.clear();
  sync_path(folder_);
}

}  // namespace suanli
