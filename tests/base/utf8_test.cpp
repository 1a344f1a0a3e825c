// Invalid UTF-8 is found at its first byte, valid text never refused.
#include "base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace suanli {
namespace {

constexpr size_t kValid = std::string_view::npos;

std::string encode(uint32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
  if (c < 0x10000) {
    return {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
            static_cast<char>(0x80 | (c & 63))};
  }
  return {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
          static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
}

TEST(Utf8, EveryCodePointIsValidButSurrogates) {
  for (uint32_t c = 0; c < 0x110000; ++c) {
    const bool surrogate = c >= 0xD800 && c < 0xE000;
    ASSERT_EQ(find_invalid_utf8(encode(c)), surrogate ? 0 : kValid) << std::hex << c;
  }
  EXPECT_EQ(find_invalid_utf8(encode(0x110000)), 0u);
}

TEST(Utf8, EveryTwoByteTextIsJudgedByTheGrammar) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text = {static_cast<char>(a), static_cast<char>(b)};
      const bool pair = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
      const size_t expected = pair ? kValid : a >= 0x80 ? 0 : b >= 0x80 ? 1 : kValid;
      ASSERT_EQ(find_invalid_utf8(text), expected) << a << ' ' << b;
    }
  }
}

TEST(Utf8, OverlongAndCutFormsAreRefusedWhereverTheyStand) {
  const std::string bad[] = {"\xC0\x80",
                             "\xE0\x80\x80",
                             "\xE0\x9F\xBF",
                             "\xF0\x8F\xBF\xBF",
                             "\xF4\x90\x80\x80",
                             "\xF8\x88\x80\x80\x80",
                             "\xE4\xB8",
                             "\xF0\x9F\x98",
                             "\x80",
                             "\xFF"};
  for (const std::string& sequence : bad) {
    // Before, in and behind the eight bytes that are checked at once.
    for (size_t before = 0; before < 20; ++before) {
      ASSERT_EQ(find_invalid_utf8(std::string(before, 'a') + sequence), before);
      ASSERT_EQ(find_invalid_utf8(std::string(before, 'a') + sequence + "tail of text"), before);
    }
  }
}

}  // namespace
}  // namespace suanli
