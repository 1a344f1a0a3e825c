#include "formats/json_scanner.h"

#include <algorithm>
#include <cstring>

#include "base/concat.h"
#include "base/error.h"
#include "formats/safetensors.h"

namespace suanli {
namespace {

/// Length of the well-formed UTF-8 sequence of two to four bytes that starts `text`, or 0 (Unicode 15, table 3-7).
inline size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto trails = [&](size_t count) {
    if (text.size() <= count) return false;
    for (size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  const unsigned lead = byte(0);
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool sound = trails(2) && (lead != 0xE0 || byte(1) >= 0xA0) && (lead != 0xED || byte(1) < 0xA0);
    return sound ? 3 : 0;  // neither overlong nor half of a surrogate pair
  }
  if (lead >= 0xC2 && lead <= 0xDF) return trails(1) ? 2 : 0;
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool sound = trails(3) && (lead != 0xF0 || byte(1) >= 0x90) && (lead != 0xF4 || byte(1) < 0x90);
    return sound ? 4 : 0;  // neither overlong nor beyond U+10FFFF
  }
  return 0;
}

/// True when none of eight bytes ends or complicates a string: quote, backslash, control or non-ASCII.
/// The zero-byte test of "Bit Twiddling Hacks", exact for the question whether there is any.
bool eight_plain_bytes(const char* at) {
  constexpr uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
  uint64_t word = 0;
  std::memcpy(&word, at, 8);
  const auto has_zero = [](uint64_t x) { return (x - ones) & ~x & high; };
  return ((word & high) | has_zero(word ^ ones * '"') | has_zero(word ^ ones * '\\') | has_zero(word & ones * 0xE0)) ==
         0;
}

}  // namespace

void JsonScanner::fail(std::string_view what) const {
  throw UserError(where_, concat("header byte ", at_, ": ", what, "; the file is damaged or not safetensors"));
}

void JsonScanner::skip_blanks() {
  constexpr uint64_t spaces = 0x2020202020202020u;
  while (at_ + 8 <= text_.size() && std::memcmp(text_.data() + at_, &spaces, 8) == 0) at_ += 8;
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
}

void JsonScanner::skip_space() {
  skip_blanks();
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
    ++at_;
  }
}

void JsonScanner::expect(char c) {
  if (!take(c)) fail(concat("expected '", c, "'"));
}

std::string_view JsonScanner::string() {
  if (!take('"')) fail("expected a string");
  const size_t begin = at_;
  while (true) {
    skip_plain_bytes();
    if (at_ >= text_.size()) fail("a string does not end");
    if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
    if (text_[at_] == '\\') return escaped_string(begin);
    do {
      at_ += plain_character();
      if (at_ - begin > kSafetensorsMaxMetadataBytes) {
        fail(concat("a string is longer than ", kSafetensorsMaxMetadataBytes, " bytes"));
      }
    } while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x80);
  }
}

void JsonScanner::skip_plain_bytes() {
  while (at_ + 8 <= text_.size() && eight_plain_bytes(text_.data() + at_)) at_ += 8;
}

/// Length of the unescaped character at the cursor.
size_t JsonScanner::plain_character() const {
  const auto c = static_cast<unsigned char>(text_[at_]);
  if (c < 0x20) fail("a string holds a control character");
  const size_t length = c < 0x80 ? 1 : utf8_sequence(text_.substr(at_));
  if (length == 0) fail("a string is not UTF-8");
  return length;
}

/// A string that holds escapes, from its first byte. All of them share one block: none is longer than its text.
std::string_view JsonScanner::escaped_string(size_t begin) {
  const size_t capacity = std::min(text_.size(), kSafetensorsMaxEscaped);
  if (!decoded_) decoded_ = std::make_unique_for_overwrite<char[]>(capacity + 4);  // 4: the longest escape
  char* const out = decoded_.get() + escaped_bytes_;
  size_t size = 0;
  const auto check_room = [&] {
    if (at_ - begin > capacity - escaped_bytes_) {
      fail(concat("more than ", kSafetensorsMaxEscaped, " bytes in strings with escapes"));
    }
  };
  const auto append_text = [&](size_t from) {
    check_room();
    std::memcpy(out + size, text_.data() + from, at_ - from);
    size += at_ - from;
  };
  append_text(begin);
  while (at_ < text_.size() && text_[at_] != '"') {
    const size_t from = at_;
    if (text_[at_] == '\\') {
      check_room();
      size += escape(out + size);
      continue;
    }
    skip_plain_bytes();
    if (at_ == from) at_ += plain_character();
    append_text(from);
  }
  if (at_ >= text_.size()) fail("a string does not end");
  check_room();
  escaped_bytes_ += at_++ - begin;
  return {out, size};
}

/// Decodes the escape at the cursor to UTF-8; returns its length.
size_t JsonScanner::escape(char* out) {
  constexpr std::string_view letters = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
  ++at_;
  if (at_ < text_.size() && text_[at_] == 'u') return unicode_escape(out);
  const size_t letter = at_ < text_.size() ? letters.find(text_[at_]) : std::string_view::npos;
  if (letter == std::string_view::npos) fail("unknown escape in a string");
  ++at_;
  *out = values[letter];
  return 1;
}

size_t JsonScanner::unicode_escape(char* out) {
  uint32_t point = four_hex_digits();
  if (point == 0) fail("a string holds NUL");
  if (point >= 0xDC00 && point < 0xE000) fail("half of a surrogate pair in a string");
  if (point >= 0xD800 && point < 0xDC00) {
    if (text_.substr(at_, 2) != "\\u") fail("half of a surrogate pair in a string");
    ++at_;
    const uint32_t low = four_hex_digits();
    if (low < 0xDC00 || low >= 0xE000) fail("half of a surrogate pair in a string");
    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
  }
  const auto trail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) return out[0] = static_cast<char>(point), 1;
  if (point < 0x800) return out[0] = static_cast<char>(0xC0 | point >> 6), out[1] = trail(0), 2;
  if (point < 0x10000) {
    return out[0] = static_cast<char>(0xE0 | point >> 12), out[1] = trail(6), out[2] = trail(0), 3;
  }
  return out[0] = static_cast<char>(0xF0 | point >> 18), out[1] = trail(12), out[2] = trail(6), out[3] = trail(0), 4;
}

/// The digits after the 'u' at the cursor.
uint32_t JsonScanner::four_hex_digits() {
  ++at_;
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      value = value << 4 | static_cast<uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      fail("expected four hexadecimal digits");
    }
  }
  return value;
}

uint64_t JsonScanner::number() {
  skip_space();
  const size_t begin = at_;
  uint64_t value = 0;
  for (; at_ < text_.size() && at_ < begin + 20 && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
    if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(text_[at_] - '0'), &value)) {
      fail("a number does not fit in 64 bits");
    }
  }
  if (at_ == begin) fail("expected an unsigned integer");
  if (at_ - begin > 1 && text_[begin] == '0') fail("a number has a leading zero");
  return value;
}

std::string shown_name(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : name.substr(0, 60)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out + (name.size() > 60 ? "...\"" : "\"");
}

bool is_clean_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const size_t length = lead == 0 ? 0 : lead < 0x80 ? 1 : utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace suanli
