/// Bytes of a file, a pipe or a text, in order, with the line they stand on: what all readers read from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

/// One pass over bytes with constant memory; a UTF-8 byte order mark at the beginning is dropped.
class ByteSource {
 public:
  /// Opens a file or pipe; "-" is standard input. Throws UserError (missing, a folder) or EnvironmentError.
  explicit ByteSource(const std::filesystem::path& file);

  /// Reads `text` instead; `name` stands for the file in messages.
  static ByteSource from_text(std::string text, std::string name);

  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  /// The next byte (0 to 255), or -1 at the end. Throws EnvironmentError when reading fails.
  int get() {
    if (at_ == buffer_.size() && !fill()) return -1;
    const unsigned char byte = static_cast<unsigned char>(buffer_[at_++]);
    line_ += byte == '\n';
    return byte;
  }

  /// The byte that get() will return, which stays.
  int peek() {
    if (at_ == buffer_.size() && !fill()) return -1;
    return static_cast<unsigned char>(buffer_[at_]);
  }

  /// Appends to `to` the bytes up to, not including, the next of `stops` or the end; at most `limit` bytes, the rest
  /// stays. For speed alone: the same as repeated get().
  void take_until(std::string_view stops, size_t limit, std::string* to);

  /// The line of the next byte, counted from one.
  int64_t line() const { return line_; }

  /// Bytes taken so far, the byte order mark among them.
  int64_t position() const { return filled_ - static_cast<int64_t>(buffer_.size() - at_); }

  const std::string& name() const { return name_; }

  /// `name:line`, for messages.
  std::string place(int64_t line) const;

 private:
  ByteSource() = default;
  bool fill();
  void drop_byte_order_mark();

  std::string name_;
  std::string buffer_;
  size_t at_ = 0;
  int64_t line_ = 1;
  int64_t filled_ = 0;  ///< bytes that the buffer has held so far
  int descriptor_ = -1;
  bool owned_ = false;
};

constexpr size_t kFieldLimit = size_t{16} << 20;  ///< bytes of one field or line
constexpr size_t kRowLimit = size_t{64} << 20;    ///< bytes of one row

/// Throws UserError at `place` unless `text` is valid UTF-8 without NUL. `what` names it in the message.
void check_text(std::string_view text, std::string_view what, const std::string& place);

/// Takes the next line without its end (LF, CR LF); false at the end of the source. A line of more than kFieldLimit
/// bytes is read past and reported with UserError, so that the next call goes on behind it.
bool next_line(ByteSource& source, std::string* line);

}  // namespace suanli
