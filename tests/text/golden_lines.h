/// The 20,000 lines of the tokenizer tests: the same as tests/golden/tokenizer/lines.py makes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/utf8.h"

namespace suanli::golden {

constexpr uint64_t kLines = 20000;

// splitmix64
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t operator()(uint64_t bound) {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  uint64_t state_;
};

inline std::string word(Random& r) {
  using std::string_view_literals::operator""sv;
  static constexpr std::string_view kSyllables[] = {"ba",  "co", "di", "fu",  "ge",  "ha",   "ing", "jo", "ka",
                                                    "lu",  "me", "no", "per", "qui", "re",   "sta", "ti", "un",
                                                    "ver", "wo", "xe", "y",   "za",  "tion", "e",   "s"};
  static constexpr std::string_view kSpecial[] = {"[MASK]", "<mask>", "[SEP]",  "</s>",     "don't", "we've",
                                                  "it's",   "I'LL",   "e-mail", "U.S.",     "3.14",  "[mask]",
                                                  "'d",     "...",    "naïve",  "İstanbul", "ΣΟΦΟΣ", "straße"};
  static constexpr std::string_view kEmoji[] = {"👩‍👩‍👧", "🏳️‍🌈", "👍🏽", "🇨🇳", "❤️", "😀",
                                                "👨‍💻"};
  static constexpr char32_t kBlocks[][2] = {
      {0x21, 0x7E},       {0xA1, 0x17F},      {0x180, 0x24F},     {0x250, 0x2FF},     {0x300, 0x36F},
      {0x370, 0x3FF},     {0x400, 0x52F},     {0x590, 0x5FF},     {0x600, 0x6FF},     {0x620, 0x64A},
      {0x900, 0x97F},     {0x905, 0x939},     {0x980, 0xDFF},     {0xE00, 0xEFF},     {0xF00, 0x10FF},
      {0x1100, 0x11FF},   {0x1200, 0x1AFF},   {0x1B00, 0x1DFF},   {0x1E00, 0x1FFF},   {0x2000, 0x206F},
      {0x2070, 0x218F},   {0x2190, 0x2BFF},   {0x2C00, 0x2E7F},   {0x3001, 0x30FF},   {0x3100, 0x33FF},
      {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0x4E00, 0x9FFF},   {0x4E00, 0x5FFF},   {0xA000, 0xABFF},
      {0xAC00, 0xD7A3},   {0xE000, 0xF8FF},   {0xF900, 0xFAFF},   {0xFB00, 0xFDFF},   {0xFE00, 0xFFFF},
      {0x10000, 0x12FFF}, {0x16000, 0x1BFFF}, {0x1D000, 0x1DFFF}, {0x1E000, 0x1EFFF}, {0x1F300, 0x1FAFF},
      {0x20000, 0x323AF}, {0xE0000, 0xE01EF}, {0x1, 0x1F},        {0x7F, 0x9F}};
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  std::string text;
  const uint64_t kind = r(100);
  if (kind < 45) {
    const uint64_t count = 1 + r(4);
    for (uint64_t i = 0; i < count; ++i) text += kSyllables[r(std::size(kSyllables))];
    const uint64_t letter_case = r(8);
    if (letter_case == 0) {
      for (char& c : text) c = upper(c);
    } else if (letter_case == 1) {
      text[0] = upper(text[0]);
    }
  } else if (kind < 85) {
    const auto& block = kBlocks[r(std::size(kBlocks))];
    const uint64_t count = 1 + r(7);
    for (uint64_t i = 0; i < count; ++i) {
      append_utf8(block[0] + static_cast<char32_t>(r(block[1] - block[0] + 1)), text);
    }
  } else if (kind < 92) {
    text = std::to_string(r(100000));
  } else if (kind < 97) {
    text = kSpecial[r(std::size(kSpecial))];
  } else {
    text = kEmoji[r(std::size(kEmoji))];
  }
  if (r(6) == 0) append_utf8(0x300 + static_cast<char32_t>(r(0x70)), text);
  return text;
}

inline std::string line(uint64_t index) {
  using std::string_view_literals::operator""sv;
  static constexpr std::string_view kSeparators[] = {
      " "sv,    " "sv,      " "sv,      " "sv,      " "sv,  " "sv,   ""sv,     "  "sv,     "\t"sv, "\n"sv,
      "\r\n"sv, "\u3000"sv, "\u00a0"sv, "\u200b"sv, "\0"sv, "   "sv, " \n "sv, "\u2028"sv, ", "sv, ". "sv};
  static constexpr std::string_view kBroken[] = {
      "\xff"sv,         "\xc0\xaf"sv, "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv, "\xe2\x82"sv,
      "\xf0\x9f\x98"sv, "\x80"sv,     "\xc3"sv,         "\xe0\x80\x80"sv,     "\xf0\x80\x80\x80"sv};
  Random r(index);
  std::string text;
  const uint64_t words = r(16);
  for (uint64_t i = 0; i < words; ++i) {
    text += word(r);
    text += kSeparators[r(std::size(kSeparators))];
  }
  if (r(8) == 0) {
    const uint64_t count = 1 + r(3);
    for (uint64_t i = 0; i < count; ++i) {
      const size_t at = r(text.size() + 1);
      if (r(2) == 0) {
        text.insert(at, kBroken[r(std::size(kBroken))]);
      } else {
        text.erase(at, 1);
      }
    }
  }
  return text;
}

}  // namespace suanli::golden
