/// Where a verb writes its results.
#pragma once

#include <string>
#include <string_view>

namespace suanli::cli {

/// Writes to standard output or a file; throws EnvironmentError when it cannot be written.
class Output {
 public:
  /// "-" or empty: standard output.
  explicit Output(const std::string& file);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();
  void write(std::string_view text);
  /// Writes what is left and closes; call it so that errors are seen.
  void close();

 private:
  std::string name_;
  int file_ = 1;
};

}  // namespace suanli::cli
