#pragma once

#include "kernels/dropout_key.h"
#include "tensor/tensor.h"

namespace suanli::ops {

using kernels::DropoutKey;

/// Layer normalisation over the last dimension (Ba et al. 2016; torch.nn.functional.layer_norm).
///   y[t,h] = (x[t,h] - mean[t]) rstd[t] weight[h] + bias[h],  rstd[t] = 1 / sqrt(var[t] + eps)
/// x [T,H] f32, bf16, f16 or f64; weight, bias [H] of x's dtype or f32 beside a 16-bit x; statistics in f32 (f64).
/// Gradients: x, weight, bias. Keeps x and mean, rstd [T]. Deterministic. Throws UserError when H or dtypes differ.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

/// layer_norm(residual + dropout(x, key), weight, bias, eps) in one pass; its plain composition is just that. The sum
/// is normalised in f32 (f64) before it is rounded. x, residual [T,H] of one dtype; the rest as for layer_norm.
/// Gradients: x, residual, weight, bias.
Tensor dropout_add_layer_norm(const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
                              double eps, const DropoutKey& key);

}  // namespace suanli::ops
