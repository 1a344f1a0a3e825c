/// The text of tokens as they come: what is whole characters so far, in time that does not grow with the text.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace suanli {

/// Tokenizer::decode() of all tokens gives the same text, but reads all of them for each new one. Here a window is
/// decoded, and what it adds to the text that is out already is new. The window begins with the tokens that gave the
/// last text, since decoders look at what stands before a token, and it grows while the text ends within a character
/// that several tokens make up.
class TextStream {
 public:
  /// What comes continues `before`.
  TextStream(Tokenizer tokenizer, std::span<const int32_t> before);
  /// Takes the next token; returns the text that has become whole with it, often none.
  std::string add(int32_t id);
  /// What is left at the end: bytes that never became a character, as U+FFFD.
  std::string rest();

 private:
  void close();

  Tokenizer tokenizer_;
  std::vector<int32_t> window_;
  size_t out_;         ///< tokens of the window whose text is out
  std::string known_;  ///< their text
};

}  // namespace suanli
