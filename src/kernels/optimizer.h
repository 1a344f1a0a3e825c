/// Optimizer steps over all parameters of a model in one call, and the norm of their gradients. A list stands in the
/// host's memory; what it and all other pointers point to is in that of the stream's device.
#pragma once

#include <bit>
#include <span>

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// What changes from step to step. Kernels read it where they run, so that work queued once can be done again with
/// other values. All of it is f64, an array of five.
struct StepScalars {
  double unscale = 1;  ///< what every gradient is multiplied with first: 1 / loss scale
  double learning_rate = 0;
  double rate = 0;        ///< of AdamW: learning_rate / (1 - beta1^step)
  double correction = 1;  ///< of AdamW: sqrt(1 - beta2^step)
  double step = 1;        ///< number of this step, >= 1
};

/// One array of a list.
struct ArrayView {
  const void* data;
  int64_t count;
  DType dtype;
};

/// sums[i] = sum of x^2 over the array i as f64, in an order that depends on its count alone; NaN or infinity when it
/// holds one. Arrays are f32, bf16, f16, f64.
struct SumsOfSquares {
  std::span<const ArrayView> arrays;
  double* sums;
};
inline Kernel<SumsOfSquares> sums_of_squares{"sums_of_squares"};
Work work_of(const SumsOfSquares& args);

/// The global norm of gradients and what an optimizer multiplies them with (torch.nn.utils.clip_grad_norm_):
///   norm = unscale * sqrt(sum of squares[0..count))
///   factor = unscale * min(1, max_norm / (norm + 1e-6)), or unscale where max_norm is 0;
///   NaN where the norm or one of the losses is not finite: an optimizer's step with that factor does nothing.
struct ClippingFactor {
  const double* squares;  ///< as SumsOfSquares leaves them
  const float* losses;    ///< null where loss_count is 0
  const StepScalars* scalars;
  double *norm, *factor;  ///< one each
  int64_t count, loss_count;
  double max_norm;
};
inline Kernel<ClippingFactor> clipping_factor{"clipping_factor"};
Work work_of(const ClippingFactor& args);

/// A parameter and its state under AdamW. `dtype` is that of weight and gradient: that of the step, or bf16, where the
/// new weight is rounded stochastically: up with the probability that its distance from the lower neighbour is of their
/// gap, so that its expected value is exact and small updates are not lost.
struct AdamwTensor {
  void *weight, *first_moment, *second_moment;
  const void* gradient;
  int64_t count;
  double weight_decay;
  DType dtype;
  uint32_t site;  ///< of the random bits, another one for each tensor
};

/// AdamW as torch.optim.AdamW (Loshchilov and Hutter 2019), g = *factor * gradient:
///   w *= 1 - lr * weight_decay;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
///   w -= lr / (1 - b1^step) * m / (sqrt(v / (1 - b2^step)) + eps)
/// Nothing changes where *factor is not finite. Bits of a stochastic rounding: half-word i % 8 of
/// philox({seed, step, site}, i / 8) for element i.
struct AdamwStep {
  std::span<const AdamwTensor> tensors;
  const StepScalars* scalars;
  const double* factor;
  double beta1, beta2, eps;
  uint64_t seed;
  DType dtype;  ///< of the moments: f32, or f64 in references
};
inline Kernel<AdamwStep> adamw_step{"adamw_step"};
Work work_of(const AdamwStep& args);

/// A parameter and its state under SGD; `buffer` is null when momentum is 0 and starts as zeros.
struct SgdTensor {
  void *weight, *buffer;
  const void* gradient;
  int64_t count;
  double weight_decay;
};

/// SGD as torch.optim.SGD: g = *factor * gradient + weight_decay * w; b = momentum * b + g;
/// w -= lr * (momentum = 0 ? g : b). Nothing changes where *factor is not finite.
struct SgdStep {
  std::span<const SgdTensor> tensors;
  const StepScalars* scalars;
  const double* factor;
  double momentum;
  DType dtype;  ///< of everything: f32, or f64 in references
};
inline Kernel<SgdStep> sgd_step{"sgd_step"};
Work work_of(const SgdStep& args);

/// x as bf16, the neighbour chosen by 16 uniform random bits; infinity and NaN stay.
constexpr uint16_t round_stochastically(float x, uint32_t random) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7f800000) == 0x7f800000) return static_cast<uint16_t>(bits >> 16 | ((bits & 0x7fffff) != 0 ? 0x40 : 0));
  return static_cast<uint16_t>((bits + random) >> 16);
}

}  // namespace suanli::kernels
