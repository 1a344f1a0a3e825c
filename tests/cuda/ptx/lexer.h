/// PTX text as tokens.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ptx {

/// A word (name, opcode with its qualifiers, number, directive), a quoted string or one character of punctuation.
struct Token {
  std::string_view text;  // into the source; strings without their quotes
  uint32_t line;
  bool is(std::string_view other) const { return text == other; }
};

/// Comments and white space fall away; the last token is empty.
std::vector<Token> tokens_of(std::string_view source);

}  // namespace ptx
