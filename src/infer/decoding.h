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
  /// that got one, [V] each; the others are empty. Where the model throws, the sequences stay as they were.
  std::vector<std::vector<float>> step(std::span<const TokenIds> added);

  /// Sequence b goes on as what sequence from[b] was.
  void select(std::span<const int32_t> from) { cache_.select(from); }
  /// Sequence b begins anew, with no token.
  void clear(size_t b) { cache_.clear(b); }

 private:
  /// One pass over new tokens: the logits of the tokens at `places` [M] i32, [M,V] f32 on the host.
  Tensor host_logits(const models::PackedSequences& sequences, const Tensor& places);

  const models::Model& model_;
  nn::Mode mode_;
  models::TokenCache cache_;
};

}  // namespace suanli::infer
