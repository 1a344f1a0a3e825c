/// Tensors whose axes stand in another order in files than in memory.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace suanli::models {

/// Axis i of the result is axis axes[i] of `tensor` (numpy.transpose); f32 on the host, a copy.
Tensor permuted(const Tensor& tensor, std::span<const int> axes);
/// The permutation that undoes `axes`.
std::vector<int> inverse(std::span<const int> axes);

}  // namespace suanli::models
