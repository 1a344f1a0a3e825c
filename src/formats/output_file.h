/// A file written piece by piece that is complete or absent; internal to formats/.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace suanli {

/// Writes under a temporary name beside `file`; commit() syncs, renames over `file` and syncs the folder. Without a
/// commit the temporary file is removed and the old file stands.
class OutputFile {
 public:
  /// Throws EnvironmentError with the system's reason, as all members do.
  explicit OutputFile(std::filesystem::path file);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();
  void write(std::string_view bytes);
  void commit();

 private:
  std::filesystem::path file_, folder_;
  std::string temporary_;  // empty once renamed
  int descriptor_ = -1;
};

/// Throws EnvironmentError: `what` failed on `path`, with the text of errno.
[[noreturn]] void fail_with_errno(const std::filesystem::path& path, std::string_view what);

}  // namespace suanli
