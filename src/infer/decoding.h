/// A batch of sequences that grow together over one cache; internal to infer/.
#pragma once

#include <span>
#include <vector>

#include "infer/generation.h"

namespace suanli::infer {

class Decoding {
 public:
  /// Room for `sequences` sequences of `capacity` tokens.
  Decoding(const models::Model& model, DType dtype, size_t sequences, int64_t capacity);

  /// Takes `added[b]` into sequence b, in one pass over all that is new. The logits of the last token of each sequence
  /// that got one, [V] each; the others are empty.
  std::vector<std::vector<float>> step(std::span<const TokenIds> added);

  /// Sequence b goes on as what sequence from[b] was.
  void select(std::span<const int32_t> from) { cache_.select(from); }

 private:
  const models::Model& model_;
  nn::Mode mode_;
  models::TokenCache cache_;
};

/// How many tokens may follow a prompt of `length`: what is asked for within the positions that the model has.
int64_t room_after(int64_t length, const models::ModelConfig& model, const GenerationConfig& config);

}  // namespace suanli::infer
