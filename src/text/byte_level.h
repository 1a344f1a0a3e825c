/// The byte-level view of GPT-2: every byte of UTF-8 as one visible code point, and the pattern that cuts words.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace suanli {

/// The code point that stands for a byte: itself where it is visible in Latin-1, else 256 and up (a space is U+0120).
char32_t byte_symbol(unsigned char byte);
/// The byte that a code point stands for, or nothing.
std::optional<unsigned char> symbol_byte(char32_t c);

/// Where the word that starts at `begin` ends: the pattern of GPT-2,
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// which covers every text without a gap. Needs begin < text.size().
size_t gpt2_word_end(std::u32string_view text, size_t begin);

}  // namespace suanli
