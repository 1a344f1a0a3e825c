#pragma once

#include "ops/loss.h"

namespace suanli::ops {

/// The largest number of logits that are held at once where they go in chunks: 1 GiB of f32.
inline constexpr int64_t kMostLogits = int64_t{1} << 28;

/// How many rows of logits over `classes` are held at once, at least 1.
int64_t rows_of_logits(int64_t classes, int64_t most_logits = kMostLogits);

/// The loss of a head over a large vocabulary, cross_entropy(linear(x, weight, bias), labels), without all its logits:
/// at most `most_logits` are held at once. Where all fit, it is just that; else they are made in chunks of rows, once
/// for the loss and once more for the gradient, whose place they become (what Liger Kernel calls
/// FusedLinearCrossEntropy, with the second product instead of a gradient before its time).
/// x [T,I], weight [V,I] and bias [V] (undefined: none) as of linear(), labels [T] and options as of cross_entropy();
/// loss [1] f32 (f64): the sum over the chunks, in their order. dweight is summed over them in f32 (f64).
/// Gradients: x, weight, bias. Deterministic. Throws UserError where linear() or cross_entropy() would.
Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& labels,
                            const CrossEntropyOptions& options = {}, int64_t most_logits = kMostLogits);

}  // namespace suanli::ops
