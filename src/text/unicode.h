/// What the tokenizers ask of a code point, answered as the Hugging Face tokenizers answer it (Unicode data: utf8proc).
#pragma once

#include <cstdint>
#include <string>

#include "text/aligned_text.h"

namespace suanli::unicode {

/// The property White_Space.
bool is_whitespace(char32_t c);
/// Control, format, surrogate, private use (categories Cc, Cf, Cs, Co) and not tab, line feed or carriage return: what
/// BERT's cleaning removes.
bool is_control(char32_t c);
/// Category Mn: what stripping accents removes.
bool is_nonspacing_mark(char32_t c);
/// Category M: what the normalizer StripAccents removes.
bool is_mark(char32_t c);
/// The ASCII symbols ! to /, : to @, [ to `, { to ~, and the categories P.
bool is_punctuation(char32_t c);
/// The CJK blocks that BERT sets apart with spaces.
bool is_chinese(char32_t c);
/// Categories L and N.
bool is_letter(char32_t c);
bool is_number(char32_t c);
/// Category N as the pre-tokenizer Digits sees it (its Unicode is newer than that of the patterns).
bool is_numeric(char32_t c);
/// Letters, marks, decimal digits, letter numbers, connectors: \w of a regular expression.
bool is_word(char32_t c);

/// What stands for `c` in the subject of a pattern: itself, or where the pattern's library is too old to know it, a
/// code point of the same category.
char32_t pattern_proxy(char32_t c);

/// The lower-case mapping of each code point by itself (no final sigma; U+0130 becomes two code points).
void lowercase(AlignedText& text);

enum class Form { nfc, nfd, nfkc, nfkd };
/// Unicode normalisation with the spans that the Hugging Face tokenizers give: the parts of a decomposed code point
/// share its span, a composed one keeps the span of its first part.
void normalize(AlignedText& text, Form form);

}  // namespace suanli::unicode
