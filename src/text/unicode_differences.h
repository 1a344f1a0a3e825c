/// Where the Hugging Face tokenizers answer otherwise than utf8proc about a code point (Unicode of another year).
#pragma once

#include <cstdint>
#include <span>

namespace suanli::unicode {

/// For the code points first to last the answer is `value`.
struct Difference {
  uint32_t first;
  uint32_t last;
  int32_t value;
};

/// Each list is in rising order. numeric is what splits digits; starter: the combining class is 0; undecomposed: no
/// compatibility or canonical parts; the value of lower_case is the distance to the lower-case letter.
std::span<const Difference> differences_control();
std::span<const Difference> differences_punctuation();
std::span<const Difference> differences_nonspacing_mark();
std::span<const Difference> differences_mark();
std::span<const Difference> differences_letter();
std::span<const Difference> differences_number();
std::span<const Difference> differences_numeric();
std::span<const Difference> differences_word();
std::span<const Difference> differences_starter();
std::span<const Difference> differences_undecomposed();
std::span<const Difference> differences_lower_case();
/// For patterns: code points that an older PCRE2 does not know, and one of the same category that it knows.
std::span<const Difference> differences_pattern_proxy();

}  // namespace suanli::unicode
