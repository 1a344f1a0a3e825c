/// What logits over a vocabulary are made of, for losses that never hold all of them.
#pragma once

#include "ops/linear.h"

namespace suanli::models {

struct VocabularyHead {
  Tensor hidden;  ///< [M,H]
  Tensor weight;  ///< [V,H]
  Tensor bias;    ///< [V] or undefined

  /// [M,V] of the dtype of hidden.
  Tensor logits() const { return ops::linear(hidden, weight, bias); }
  int64_t vocabulary() const { return weight.dim(0); }
  /// The head of rows [begin, end) alone.
  VocabularyHead rows(int64_t begin, int64_t end) const { return {hidden.rows(begin, end), weight, bias}; }
};

}  // namespace suanli::models
