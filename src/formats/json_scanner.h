/// A cursor over hostile JSON text: strings, unsigned integers and punctuation, without a document tree; internal to
/// formats/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace suanli {

class JsonScanner {
 public:
  /// `where` names the source in errors; both views must outlive the scanner, and `text` what string() returns.
  JsonScanner(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  /// Throws UserError that names the source and the byte of the cursor.
  [[noreturn]] void fail(std::string_view what) const;

  size_t at() const { return at_; }

  void skip_blanks();  ///< ' ' alone
  void skip_space();   ///< ' ', line ends and tabs
  /// Takes `c`, with space before it; false when something else is there.
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c);

  /// An object: `each` reads the value of every key.
  template <class Each>
  void members(Each each) {
    expect('{');
    if (take('}')) return;
    do {
      const std::string_view key = string();
      expect(':');
      skip_space();
      each(key);
    } while (take(','));
    expect('}');
  }

  /// A JSON string: a view into the text or, where it holds escapes, into the block of take_decoded().
  std::string_view string();
  /// An unsigned integer in its one form: digits, no sign, fraction, exponent or leading zero; at most 2^64-1.
  uint64_t number();

  /// What the views of strings with escapes point into; null in ordinary files.
  std::unique_ptr<char[]> take_decoded() { return std::move(decoded_); }

 private:
  void skip_plain_bytes();
  size_t plain_character() const;
  std::string_view escaped_string(size_t begin);
  size_t escape(char* out);
  size_t unicode_escape(char* out);
  uint32_t four_hex_digits();

  std::string_view text_, where_;
  size_t at_ = 0;
  std::unique_ptr<char[]> decoded_;
  size_t escaped_bytes_ = 0;  // text of all strings with escapes so far
};

/// A name for messages: at most 60 bytes, in quotes, unprintable bytes as \xNN.
std::string shown_name(std::string_view name);

/// True where `text` is well-formed UTF-8 without NUL.
bool is_clean_utf8(std::string_view text);

}  // namespace suanli
