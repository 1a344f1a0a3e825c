#pragma once

#include "ops/activation.h"
#include "tensor/tensor.h"

namespace suanli::ops {

/// The weight [O,I] and bias [O] of one linear map, see linear().
struct LinearMap {
  Tensor weight, bias;
};

/// y = linear(f(linear(x, up)), down) (the feed-forward layer of Vaswani et al. 2017) with f within the first product:
/// where a gradient is wanted it keeps f(h) and f'(h) of h = linear(x, up), so that the backward pass only multiplies.
/// x [T,H] f32, bf16, f16 or f64; up.weight [F,H], up.bias [F], down.weight [O,F], down.bias [O] of x's dtype, or f32
/// beside a 16-bit x; y [T,O] of x's dtype. h and sums in f32 (f64), f(h) and f'(h) rounded to x's dtype.
/// Gradients: x and all four parameters, each in the dtype of its tensor. Deterministic.
/// Throws UserError when sizes, dtypes or devices do not fit.
Tensor feed_forward(const Tensor& x, const LinearMap& up, Activation f, const LinearMap& down);

}  // namespace suanli::ops
