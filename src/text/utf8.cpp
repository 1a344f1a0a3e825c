#include "text/utf8.h"

#include <cstdint>
#include <cstring>

namespace suanli {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// One sequence that does not start with an ASCII byte, or U+FFFD for its maximal subpart; moves `p` behind it.
char32_t decode_multibyte(const unsigned char*& p, const unsigned char* end) {
  const unsigned char lead = *p++;
  int following = 0;
  unsigned char low = 0x80, high = 0xBF;  // the allowed range of the second byte
  char32_t c = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    following = 1;
    c = lead & 0x1F;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    following = 2;
    c = lead & 0x0F;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    following = 3;
    c = lead & 0x07;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return kReplacement;
  }
  if (p == end || *p < low || *p > high) return kReplacement;
  c = (c << 6) | (*p++ & 0x3F);
  for (int i = 1; i < following; ++i) {
    if (p == end || !is_continuation(*p)) return kReplacement;
    c = (c << 6) | (*p++ & 0x3F);
  }
  return c;
}

}  // namespace

void decode_utf8(std::string_view text, std::u32string& out) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  const size_t before = out.size();
  out.resize(before + text.size());  // at most one code point a byte
  char32_t* to = out.data() + before;
  while (p < end) {
    uint64_t eight = 0;
    if (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080) == 0)) {
      for (int i = 0; i < 8; ++i) to[i] = p[i];
      to += 8;
      p += 8;
    } else if (*p < 0x80) {
      *to++ = *p++;
    } else {
      *to++ = decode_multibyte(p, end);
    }
  }
  out.resize(static_cast<size_t>(to - out.data()));
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_utf8(c, out);
  return out;
}

std::u32string to_code_points(std::string_view text) {
  std::u32string out;
  decode_utf8(text, out);
  return out;
}

}  // namespace suanli
