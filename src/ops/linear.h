#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// y = x weight^T + bias (torch.nn.functional.linear).
/// x [T,I] f32, bf16, f16 or f64; weight [O,I] and bias [O] (undefined: none) of x's dtype, or f32 beside a 16-bit x,
/// then rounded to it for the product; y [T,O] of x's dtype. Sums in f32 (f64). Gradients: x, weight, bias, each in the
/// dtype of its tensor; dweight and dbias are summed in f32. Deterministic.
/// Throws UserError when I, O, dtypes or devices do not fit.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
/// Throws what linear() would, in the name of `op`.
void check_linear(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace suanli::ops
