/// JSON results written fast: shortest form of each float, strings escaped once.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace suanli::cli {

/// Appends the shortest decimal that reads back as `value`; "null" for NaN and infinity.
void append_number(std::string& out, float value);
/// Appends `text` in quotes, escaped; it must be UTF-8.
void append_string(std::string& out, std::string_view text);
/// Appends [v0, v1, ...].
void append_numbers(std::string& out, std::span<const float> values);

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
