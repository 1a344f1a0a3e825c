// Optimizer steps and the sum of squares of gradients.
#include "kernels/cuda/sums.h"
#include "kernels/optimizer.h"

namespace suanli::kernels::cuda {

/// AdamW's launch: what depends on the step alone is worked out once, on the host.
struct AdamwLaunch {
  AdamwStep args;
  double rate;        ///< learning_rate / (1 - beta1^step)
  double correction;  ///< sqrt(1 - beta2^step)
};

/// The launch of the sum of squares: `partial` takes the sum of each block.
struct SquareSums {
  SumOfSquares args;
  double* partial;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class C>
__device__ void step(const AdamwLaunch& launch) {
  const AdamwStep& args = launch.args;
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  const C b1 = static_cast<C>(args.beta1), b2 = static_cast<C>(args.beta2), eps = static_cast<C>(args.eps);
  const C new1 = static_cast<C>(1 - args.beta1), new2 = static_cast<C>(1 - args.beta2);
  const C decay = static_cast<C>(1 - args.learning_rate * args.weight_decay);
  const C rate = static_cast<C>(launch.rate), correction = static_cast<C>(launch.correction);
  C *weight = static_cast<C*>(args.weight) + first, *moment1 = static_cast<C*>(args.first_moment) + first;
  C* moment2 = static_cast<C*>(args.second_moment) + first;
  C w[kElements], m[kElements], v[kElements], g[kElements];
  load(weight, count, w);
  load(moment1, count, m);
  load(moment2, count, v);
  load(static_cast<const C*>(args.gradient) + first, count, g);
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    g[e] *= static_cast<C>(args.gradient_scale);
    m[e] = b1 * m[e] + new1 * g[e];
    v[e] = b2 * v[e] + new2 * g[e] * g[e];
    w[e] = decay * w[e] - rate * m[e] / (sqrt(v[e]) / correction + eps);
  }
  store(moment1, count, m);
  store(moment2, count, v);
  store(weight, count, w);
}

template <class C>
__device__ void step(const SgdStep& args) {
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  C w[kElements], g[kElements], b[kElements];
  load(static_cast<C*>(args.weight) + first, count, w);
  load(static_cast<const C*>(args.gradient) + first, count, g);
  if (args.momentum != 0) load(static_cast<C*>(args.buffer) + first, count, b);
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    g[e] = static_cast<C>(args.gradient_scale) * g[e] + static_cast<C>(args.weight_decay) * w[e];
    if (args.momentum != 0) g[e] = b[e] = args.first ? g[e] : static_cast<C>(args.momentum) * b[e] + g[e];
    w[e] -= static_cast<C>(args.learning_rate) * g[e];
  }
  if (args.momentum != 0) store(static_cast<C*>(args.buffer) + first, count, b);
  store(static_cast<C*>(args.weight) + first, count, w);
}

extern "C" __global__ void __launch_bounds__(256) adamw_step_f32(const AdamwLaunch launch) { step<float>(launch); }
extern "C" __global__ void __launch_bounds__(256) adamw_step_f64(const AdamwLaunch launch) { step<double>(launch); }
extern "C" __global__ void __launch_bounds__(256) sgd_step_f32(const SgdStep args) { step<float>(args); }
extern "C" __global__ void __launch_bounds__(256) sgd_step_f64(const SgdStep args) { step<double>(args); }

template <class T>
__device__ void add_squares(const SquareSums& sums) {
  partial_sum(sums.args.count, sums.partial, [&](int64_t i) {
    const auto x = static_cast<double>(widen(static_cast<const T*>(sums.args.x)[i]));
    return x * x;
  });
}
SUANLI_KERNELS(sum_of_squares, add_squares, SquareSums, 256)

extern "C" __global__ void sum_of_squares_total(const double* partial, int64_t count, double* result) {
  total_sum(partial, count, 1.0, result);
}

}  // namespace suanli::kernels::cuda

#else

#include <cmath>

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(optimizer);

template <class Args>
Refusal full_precision(const Args& args, const Machine&) {
  return args.dtype == DType::f32 || args.dtype == DType::f64 ? nullptr : "optimizer state must be f32 or f64";
}

void run_adamw(const AdamwStep& args, Stream& stream) {
  const auto power = static_cast<double>(args.step);
  const AdamwLaunch launch = {args, args.learning_rate / (1 - std::pow(args.beta1, power)),
                              std::sqrt(1 - std::pow(args.beta2, power))};
  code.launch("adamw_step", args.dtype, {.x = blocks_for(args.count, 256 * 8)}, stream, launch);
}

void run_sgd(const SgdStep& args, Stream& stream) {
  code.launch("sgd_step", args.dtype, {.x = blocks_for(args.count, 256 * 8)}, stream, args);
}

void run_sum_of_squares(const SumOfSquares& args, Stream& stream) {
  const int64_t blocks = blocks_for(args.count, kTermsOfBlock);
  const Scratch partial(stream, blocks * size_of(DType::f64));
  const SquareSums sums = {args, static_cast<double*>(partial.memory())};
  code.launch("sum_of_squares", args.dtype, {.x = blocks}, stream, sums);
  code.launch("sum_of_squares_total", {}, stream, sums.partial, blocks, args.result);
}

}  // namespace

void add_optimizer() {
  add(adamw_step, full_precision<AdamwStep>, run_adamw);
  add(sgd_step, full_precision<SgdStep>, run_sgd);
  add(sum_of_squares, any_floating<SumOfSquares>, run_sum_of_squares);
}

}  // namespace suanli::kernels::cuda

#endif
