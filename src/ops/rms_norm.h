#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// Normalisation by the root of the mean square (Zhang and Sennrich 2019; torch.nn.functional.rms_norm).
///   y[t,h] = x[t,h] rstd[t] weight[h],  rstd[t] = 1 / sqrt(mean_h x[t,h]^2 + eps)
/// x [T,H] f32, bf16, f16 or f64; weight [H] of x's dtype or f32 beside a 16-bit x; sums in f32 (f64). Gradients: x,
/// weight. Keeps x and rstd [T]. Deterministic. Throws UserError when H, dtypes or devices differ.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

}  // namespace suanli::ops
