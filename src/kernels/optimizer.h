/// One optimizer step over one parameter, and the norm of gradients. Everything is f32 (f64 in references).
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// AdamW as torch.optim.AdamW (Loshchilov and Hutter 2019), g = gradient_scale * gradient, step >= 1:
///   w *= 1 - lr * weight_decay;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
///   w -= lr / (1 - b1^step) * m / (sqrt(v / (1 - b2^step)) + eps)
struct AdamwStep {
  void *weight, *first_moment, *second_moment;
  const void* gradient;
  int64_t count, step;
  double learning_rate, beta1, beta2, eps, weight_decay, gradient_scale;
  DType dtype;
};
inline Kernel<AdamwStep> adamw_step{"adamw_step"};
Work work_of(const AdamwStep& args);

/// SGD as torch.optim.SGD: g = gradient_scale * gradient + weight_decay * w; b = first ? g : momentum * b + g;
/// w -= lr * (momentum = 0 ? g : b). `buffer` is null when momentum is 0.
struct SgdStep {
  void *weight, *buffer;
  const void* gradient;
  int64_t count;
  bool first;
  double learning_rate, momentum, weight_decay, gradient_scale;
  DType dtype;
};
inline Kernel<SgdStep> sgd_step{"sgd_step"};
Work work_of(const SgdStep& args);

/// result[0] = sum of x^2 as f64, in an order that depends on `count` alone; NaN or infinity when x holds one.
struct SumOfSquares {
  const void* x;
  double* result;
  int64_t count;
  DType dtype;
};
inline Kernel<SumOfSquares> sum_of_squares{"sum_of_squares"};
Work work_of(const SumOfSquares& args);

}  // namespace suanli::kernels
