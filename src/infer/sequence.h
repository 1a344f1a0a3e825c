/// One text that writes itself, whoever computes its logits; internal to infer/.
#pragma once

#include <span>

#include "infer/generation.h"

namespace suanli::infer {

/// Throws UserError for an empty prompt or an id outside the vocabulary.
void check_prompt(std::span<const int32_t> prompt, const models::ModelConfig& model);

/// How many tokens may follow a prompt of `length` where a sequence holds at most `longest`: what is asked for, as far
/// as there is room. Throws UserError where there is none.
int64_t room_after(int64_t length, int64_t longest, const GenerationConfig& config);

/// A prompt and the tokens chosen behind it. Token i is drawn at the place (seed, i, `site`) of the random stream.
class Sequence {
 public:
  /// At most `room` tokens, 1 or more, follow.
  Sequence(TokenIds prompt, int64_t room, const GenerationConfig& config, uint32_t site);
  /// Chooses the next token by its logits [V], which are changed.
  int32_t take(std::span<float> logits);
  /// No more is wanted.
  void stop() { finish_ = Finish::stop; }
  /// Why it ended; none: it goes on.
  Finish finish() const { return finish_; }
  std::span<const int32_t> prompt() const { return std::span(tokens_).first(prompt_); }
  std::span<const int32_t> added() const { return std::span(tokens_).subspan(prompt_); }

 private:
  TokenIds tokens_;
  size_t prompt_, room_;
  GenerationConfig config_;
  uint32_t site_;
  Finish finish_ = Finish::none;
};

}  // namespace suanli::infer
