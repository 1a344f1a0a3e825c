#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

struct BatchNormOptions {
  bool training = false;
  double eps = 1e-5, momentum = 0.1;
};

/// Averages over the past, [C] f32 (f64 beside f64 x); constants of the op, which training changes where they lie.
struct RunningStatistics {
  Tensor mean, var;
};

/// Batch normalisation over all dimensions but the last (Ioffe and Szegedy 2015; torch.nn.functional.batch_norm).
///   y[...,c] = (x[...,c] - mean[c]) / sqrt(var[c] + eps) weight[c] + bias[c]
/// In training mean and var are those of the N = elements/C values of a channel (var with divisor N), and
/// running <- (1 - momentum) running + momentum statistic (var with divisor N - 1); else they are the running ones.
/// x [...,C] f32, bf16, f16 or f64; weight, bias [C] of x's dtype or f32 beside a 16-bit x; statistics in f32 (f64).
/// Gradients: x, weight, bias. Keeps x. Deterministic.
/// Throws UserError when sizes or dtypes differ, and in training for fewer than two values per channel.
Tensor batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                  const BatchNormOptions& options);

/// relu(batch_norm(x)) in one pass; keeps y, too.
Tensor batch_norm_relu(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                       const BatchNormOptions& options);

}  // namespace suanli::ops
