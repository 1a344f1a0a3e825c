/// UTF-8 to code points and back.
#pragma once

#include <string>
#include <string_view>

namespace suanli {

/// Appends the code points of `text` to `out`. Invalid UTF-8 becomes U+FFFD, one for each maximal subpart of an
/// ill-formed sequence (Unicode standard, section 3.9), which is what Python's bytes.decode("utf-8", "replace") gives.
void decode_utf8(std::string_view text, std::u32string& out);

/// Appends one code point (at most U+10FFFF) as UTF-8.
inline void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (c >> 18)));
    out.push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

/// The code points as UTF-8.
std::string to_utf8(std::u32string_view text);

/// The code points of a string; invalid UTF-8 as in decode_utf8.
std::u32string to_code_points(std::string_view text);

}  // namespace suanli
