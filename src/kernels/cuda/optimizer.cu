// Optimizer steps over many tensors, the sums of squares of gradients and the factor that clips them.
#include "kernels/optimizer.h"

#include "kernels/cuda/many.h"
#include "kernels/cuda/sums.h"

namespace suanli::kernels::cuda {

constexpr int kThreads = 256, kElementsOfBlock = kThreads * 8;

struct AdamwLaunch {
  Many<AdamwTensor> many;
  const StepScalars* scalars;
  const double* factor;
  double beta1, beta2, eps;
  uint64_t seed;
};

struct SgdLaunch {
  Many<SgdTensor> many;
  const StepScalars* scalars;
  const double* factor;
  double momentum;
};

/// `partial` takes the sum of each block, `sums` that of each array.
struct SquaresLaunch {
  Many<ArrayView> many;
  double *partial, *sums;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

/// The eight elements from `first` of a weight of T, rounded stochastically where T is bf16.
template <class T, class C>
__device__ void store_weight(T* weight, int64_t first, int64_t count, const C (&w)[kElements], const RandomKey& key) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    const auto words = philox(key, first / 8);
    C rounded[kElements];
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const uint32_t random = e % 2 == 0 ? words[e / 2] & 0xffff : words[e / 2] >> 16;
      bfloat16 narrow;
      narrow.bits = round_stochastically(w[e], random);
      rounded[e] = widen(narrow);  // storing it rounds no more
    }
    store(weight, count, rounded);
  } else {
    store(weight, count, w);
  }
}

template <class T, class C>
__device__ void step_tensor(const AdamwLaunch& args, const AdamwTensor& tensor, int64_t first) {
  const int64_t count = tensor.count - first;
  if (count <= 0) return;
  const StepScalars& now = *args.scalars;
  const C b1 = static_cast<C>(args.beta1), b2 = static_cast<C>(args.beta2), eps = static_cast<C>(args.eps);
  const C new1 = static_cast<C>(1 - args.beta1), new2 = static_cast<C>(1 - args.beta2);
  const C decay = static_cast<C>(1 - now.learning_rate * tensor.weight_decay), factor = static_cast<C>(*args.factor);
  const C rate = static_cast<C>(now.rate), correction = static_cast<C>(now.correction);
  T* weight = static_cast<T*>(tensor.weight) + first;
  C *moment1 = static_cast<C*>(tensor.first_moment) + first, *moment2 = static_cast<C*>(tensor.second_moment) + first;
  C w[kElements], m[kElements], v[kElements], g[kElements];
  load(weight, count, w);
  load(moment1, count, m);
  load(moment2, count, v);
  load(static_cast<const T*>(tensor.gradient) + first, count, g);
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    g[e] *= factor;
    m[e] = b1 * m[e] + new1 * g[e];
    v[e] = b2 * v[e] + new2 * g[e] * g[e];
    w[e] = decay * w[e] - rate * m[e] / (sqrt(v[e]) / correction + eps);
  }
  store(moment1, count, m);
  store(moment2, count, v);
  store_weight(weight, first, count, w, {args.seed, static_cast<uint32_t>(now.step), tensor.site});
}

template <class C>
__device__ void step(const AdamwLaunch& args) {
  if (!isfinite(*args.factor)) return;
  const int place = tensor_of_block(args.many);
  const AdamwTensor& tensor = args.many.tensors[place];
  const int64_t first = block_of_tensor(args.many, place) * kElementsOfBlock + threadIdx.x * kElements;
  if constexpr (std::is_same_v<C, float>) {
    if (tensor.dtype == DType::bf16) return step_tensor<bfloat16, C>(args, tensor, first);
  }
  step_tensor<C, C>(args, tensor, first);
}

template <class C>
__device__ void step(const SgdLaunch& args) {
  if (!isfinite(*args.factor)) return;
  const int place = tensor_of_block(args.many);
  const SgdTensor& tensor = args.many.tensors[place];
  const int64_t first = block_of_tensor(args.many, place) * kElementsOfBlock + threadIdx.x * kElements;
  const int64_t count = tensor.count - first;
  if (count <= 0) return;
  const C factor = static_cast<C>(*args.factor), rate = static_cast<C>(args.scalars->learning_rate);
  C w[kElements], g[kElements], b[kElements];
  load(static_cast<C*>(tensor.weight) + first, count, w);
  load(static_cast<const C*>(tensor.gradient) + first, count, g);
  if (args.momentum != 0) load(static_cast<C*>(tensor.buffer) + first, count, b);
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    g[e] = factor * g[e] + static_cast<C>(tensor.weight_decay) * w[e];
    if (args.momentum != 0) g[e] = b[e] = static_cast<C>(args.momentum) * b[e] + g[e];
    w[e] -= rate * g[e];
  }
  if (args.momentum != 0) store(static_cast<C*>(tensor.buffer) + first, count, b);
  store(static_cast<C*>(tensor.weight) + first, count, w);
}

#define SUANLI_STEP(name, Launch)                                                                          \
  extern "C" __global__ void __launch_bounds__(kThreads) name##_f32(const __grid_constant__ Launch args) { \
    step<float>(args);                                                                                     \
  }                                                                                                        \
  extern "C" __global__ void __launch_bounds__(kThreads) name##_f64(const __grid_constant__ Launch args) { \
    step<double>(args);                                                                                    \
  }
SUANLI_STEP(adamw_step, AdamwLaunch)
SUANLI_STEP(sgd_step, SgdLaunch)
#undef SUANLI_STEP

template <class T>
__device__ void add_squares(const ArrayView& array, int64_t block, double* partial) {
  partial_sum(array.count, block, partial, [&](int64_t i) {
    const auto x = static_cast<double>(widen(static_cast<const T*>(array.data)[i]));
    return x * x;
  });
}

extern "C" __global__ void __launch_bounds__(kThreads) sums_of_squares(const __grid_constant__ SquaresLaunch args) {
  const int place = tensor_of_block(args.many);
  const ArrayView& array = args.many.tensors[place];
  const int64_t block = block_of_tensor(args.many, place);
  double* partial = args.partial + blockIdx.x;
  switch (array.dtype) {
    case DType::bf16:
      return add_squares<bfloat16>(array, block, partial);
    case DType::f16:
      return add_squares<float16>(array, block, partial);
    case DType::f64:
      return add_squares<double>(array, block, partial);
    default:
      return add_squares<float>(array, block, partial);
  }
}

/// A block for each array.
extern "C" __global__ void __launch_bounds__(kThreads)
    sums_of_squares_total(const __grid_constant__ SquaresLaunch args) {
  const int begin = args.many.first_block[blockIdx.x], end = args.many.first_block[blockIdx.x + 1];
  total_sum(args.partial + begin, end - begin, 1.0, args.sums + args.many.first_tensor + blockIdx.x);
}

/// One block.
extern "C" __global__ void __launch_bounds__(kThreads) clipping_factor(const ClippingFactor args) {
  double sum = 0, bad = 0;
  for (int64_t i = threadIdx.x; i < args.count; i += blockDim.x) sum += args.squares[i];
  for (int64_t i = threadIdx.x; i < args.loss_count; i += blockDim.x) bad += isfinite(args.losses[i]) ? 0 : 1;
  sum = block_sum(sum);
  bad = block_sum(bad);
  if (threadIdx.x != 0) return;
  const double unscale = args.scalars->unscale, norm = unscale * sqrt(sum);
  *args.norm = norm;
  *args.factor = !isfinite(norm) || bad != 0 ? std::numeric_limits<double>::quiet_NaN()
                 : args.max_norm == 0        ? unscale
                                             : unscale * fmin(1.0, args.max_norm / (norm + 1e-6));
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(optimizer);

template <class Args>
Refusal full_precision(const Args& args, const Machine&) {
  return args.dtype == DType::f32 || args.dtype == DType::f64 ? nullptr : "optimizer state must be f32 or f64";
}
Refusal can_step(const AdamwStep& args, const Machine& machine) {
  for (const AdamwTensor& tensor : args.tensors) {
    const bool rounds = tensor.dtype == DType::bf16 && args.dtype == DType::f32;
    if (tensor.dtype != args.dtype && !rounds) return "weights must have the dtype of the state, or bf16 beside f32";
  }
  return full_precision(args, machine);
}
Refusal can_sum(const SumsOfSquares& args, const Machine&) {
  for (const ArrayView& array : args.arrays) {
    if (!is_floating(array.dtype)) return refuse_not_floating(array.dtype);
  }
  return nullptr;
}
Refusal always(const ClippingFactor&, const Machine&) { return nullptr; }

void run_adamw(const AdamwStep& args, Stream& stream) {
  for_each_part(args.tensors, kElementsOfBlock, [&](const Many<AdamwTensor>& many, int64_t blocks) {
    const AdamwLaunch launch = {many, args.scalars, args.factor, args.beta1, args.beta2, args.eps, args.seed};
    code.launch("adamw_step", args.dtype, {.x = blocks}, stream, launch);
  });
}

void run_sgd(const SgdStep& args, Stream& stream) {
  for_each_part(args.tensors, kElementsOfBlock, [&](const Many<SgdTensor>& many, int64_t blocks) {
    const SgdLaunch launch = {many, args.scalars, args.factor, args.momentum};
    code.launch("sgd_step", args.dtype, {.x = blocks}, stream, launch);
  });
}

void run_sums_of_squares(const SumsOfSquares& args, Stream& stream) {
  for_each_part(args.arrays, kTermsOfBlock, [&](const Many<ArrayView>& many, int64_t blocks) {
    const Scratch partial(stream, blocks * size_of(DType::f64));
    const SquaresLaunch launch = {many, static_cast<double*>(partial.memory()), args.sums};
    code.launch("sums_of_squares", {.x = blocks}, stream, launch);
    code.launch("sums_of_squares_total", {.x = many.count}, stream, launch);
  });
}

void run_clipping_factor(const ClippingFactor& args, Stream& stream) {
  code.launch("clipping_factor", {}, stream, args);
}

}  // namespace

void add_optimizer() {
  add(adamw_step, can_step, run_adamw);
  add(sgd_step, full_precision<SgdStep>, run_sgd);
  add(sums_of_squares, can_sum, run_sums_of_squares);
  add(clipping_factor, always, run_clipping_factor);
}

}  // namespace suanli::kernels::cuda

#endif
