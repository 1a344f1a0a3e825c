#include "text/byte_level.h"

#include <array>
#include <cstdint>

#include "text/unicode.h"

namespace suanli {
namespace {

constexpr bool is_visible(unsigned c) { return (c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c != 0xAD); }

struct Alphabet {
  std::array<char32_t, 256> symbols = {};
  std::array<int16_t, 0x144> bytes = {};
  constexpr Alphabet() {
    for (auto& byte : bytes) byte = -1;
    char32_t next = 256;
    for (unsigned byte = 0; byte < 256; ++byte) {
      symbols[byte] = is_visible(byte) ? byte : next++;
      bytes[symbols[byte]] = static_cast<int16_t>(byte);
    }
  }
};
constexpr Alphabet kAlphabet;

enum class Kind { letter, number, space, other };

Kind kind_of(char32_t c) {
  if (unicode::is_letter(c)) return Kind::letter;
  if (unicode::is_number(c)) return Kind::number;
  return unicode::is_whitespace(c) ? Kind::space : Kind::other;
}

// The length of 's, 't, 're, 've, 'm, 'll or 'd at the start of a text, else 0.
size_t contraction(std::u32string_view text) {
  if (text.size() < 2 || text[0] != U'\'') return 0;
  const char32_t second = text[1], third = text.size() > 2 ? text[2] : U'\0';
  if (second == U's' || second == U't' || second == U'm' || second == U'd') return 2;
  if ((second == U'r' && third == U'e') || (second == U'v' && third == U'e') || (second == U'l' && third == U'l'))
    return 3;
  return 0;
}

}  // namespace

char32_t byte_symbol(unsigned char byte) { return kAlphabet.symbols[byte]; }

std::optional<unsigned char> symbol_byte(char32_t c) {
  if (c >= kAlphabet.bytes.size() || kAlphabet.bytes[c] < 0) return std::nullopt;
  return static_cast<unsigned char>(kAlphabet.bytes[c]);
}

size_t gpt2_word_end(std::u32string_view text, size_t begin) {
  if (const size_t length = contraction(text.substr(begin)); length != 0) return begin + length;
  size_t at = begin;
  // One space may open a word of letters, numbers or other symbols.
  if (text[at] == U' ' && at + 1 < text.size() && kind_of(text[at + 1]) != Kind::space) ++at;
  const Kind kind = kind_of(text[at]);
  size_t end = at + 1;
  while (end < text.size() && kind_of(text[end]) == kind) ++end;
  if (kind != Kind::space || end == text.size() || end == at + 1) return end;
  return end - 1;  // whitespace leaves its last character to the word that follows
}

}  // namespace suanli
