#include "data/repair.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

/// Windows-1252 from 0x80 to 0x9F (Unicode's mapping table CP1252.TXT); 0: not assigned.
constexpr std::array<char16_t, 32> kWindows1252 = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                   0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/// The byte of a code point in Windows-1252, or -1.
int windows_1252_byte(char32_t c) {
  if (c < 0x100) return static_cast<int>(c);
  const auto at = std::find(kWindows1252.begin(), kWindows1252.end(), static_cast<char16_t>(c));
  return c > 0xFFFF || at == kWindows1252.end() ? -1 : 0x80 + static_cast<int>(at - kWindows1252.begin());
}

bool undo_mojibake(std::string* text) {
  std::string bytes;
  for (const char32_t c : to_code_points(*text)) {
    const int byte = windows_1252_byte(c);
    if (byte < 0) return false;
    bytes.push_back(static_cast<char>(byte));
  }
  if (find_invalid_utf8(bytes) != std::string_view::npos) return false;
  *text = std::move(bytes);
  return true;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_removed_control(char32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0) || c == 0xFEFF;
}

bool remove_ascii_controls(std::string* text) {
  return std::erase_if(*text, [](char c) { return is_removed_control(static_cast<unsigned char>(c)); }) > 0;
}

}  // namespace

std::string from_windows_1252(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool special = byte >= 0x80 && byte < 0xA0;
    const char32_t point = special ? kWindows1252[byte - 0x80U] : byte;
    append_utf8(special && point == 0 ? 0xFFFD : point, text);
  }
  return text;
}

uint8_t repair_text(std::string* text) {
  if (is_ascii(*text)) return remove_ascii_controls(text) ? uint8_t{kRemovedControls} : uint8_t{0};
  uint8_t done = 0;
  if (find_invalid_utf8(*text) != std::string_view::npos) {
    *text = from_windows_1252(*text);
    done |= kDecodedBytes;
  }
  for (int layer = 0; layer < 2 && !is_ascii(*text) && undo_mojibake(text); ++layer) done |= kUndidMojibake;
  std::u32string points = to_code_points(*text);
  if (std::erase_if(points, is_removed_control) > 0) done |= kRemovedControls;
  AlignedText aligned;
  aligned.assign(points, 0);
  unicode::normalize(aligned, unicode::Form::nfc);
  if (aligned.chars != points) done |= kComposedLetters;
  if (done != 0) *text = to_utf8(aligned.chars);
  return done;
}

}  // namespace suanli
