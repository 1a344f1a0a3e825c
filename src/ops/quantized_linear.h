#pragma once

#include <optional>

#include "kernels/activation.h"
#include "tensor/tensor.h"

namespace suanli::ops {

/// A weight [O,I] in 8 bits with one scale for each of its O rows (kernels/quantized_matmul.h).
struct QuantizedWeight {
  Tensor values;  ///< i8, in the layout that products read
  Tensor scale;   ///< [O] f32
  int64_t out = 0, in = 0;
  bool defined() const { return values.defined(); }
};

/// weight [O,I], floating, taken as f32. Throws UserError for another dtype or rank, or I above 2^17.
QuantizedWeight quantize_weight(const Tensor& weight);

/// y = f(q(x) weight^T + bias), q quantising each row of x to 8 bits with a scale of its own, f the activation or
/// nothing: a linear layer of int8 inference (Dettmers et al. 2022; in PyTorch linear of what
/// fake_quantize_per_channel_affine makes of both operands with scales absmax / 127).
/// x [T,I] f32, bf16, f16 or f64; bias [O] (undefined: none) of x's dtype or f32; y [T,O] of x's dtype. Sums are exact
/// integers. Rounding has no gradient: throws UserError when an input wants one, and when I, dtypes or devices do not
/// fit.
Tensor quantized_linear(const Tensor& x, const QuantizedWeight& weight, const Tensor& bias,
                        std::optional<kernels::Activation> activation = {});

}  // namespace suanli::ops
