/// The text behind a prompt as its tokens come, and where it stops.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/text_stream.h"

namespace suanli {

/// A text stops where, character by character, the first of its stop strings is complete; of several that are complete
/// at once the longest counts.
class Continuation {
 public:
  Continuation(Tokenizer tokenizer, std::span<const int32_t> prompt, std::vector<std::string> stop_strings);

  /// Takes the next tokens; true from the moment on that the text has stopped.
  bool take(std::span<const int32_t> ids);
  /// No more tokens come: what was held back is text.
  void end();
  /// Tokens taken.
  size_t tokens() const { return tokens_; }
  /// All text that has become whole, the stop string included and what came with the same token, too.
  const std::string& text() const { return text_; }
  /// The text before the stop string. Until one has come or all is at its end, without what may be the beginning of
  /// one: it only grows, so that a caller can send on what is new.
  std::string_view text_before_stop() const { return std::string_view(text_).substr(0, certain_); }

 private:
  void append(const std::string& text);
  size_t possible_stop() const;

  TextStream stream_;
  std::vector<std::string> stops_;
  size_t tokens_ = 0;
  std::string text_;
  bool stopped_ = false;
  size_t certain_ = 0;  ///< bytes of text_before_stop()
};

}  // namespace suanli
