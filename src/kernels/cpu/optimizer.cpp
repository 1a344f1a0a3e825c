#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optimizer.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "kernels/cpu/simd-inl.h"
#include "kernels/optimizer.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// The weights of [begin, end) in f32, as update(i, n, weight) makes them of the old ones.
template <class F>
HWY_INLINE void update_weights(float* w, int64_t begin, int64_t end, const RandomKey&, const F& update) {
  each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
    store(update(begin + i, n, load(w + begin + i, n)), w + begin + i, n);
  });
}
/// The same in bf16, rounded stochastically: new weights of a block in f32 first. `begin` is a multiple of 8.
template <class F>
HWY_INLINE void update_weights(bfloat16* w, int64_t begin, int64_t end, const RandomKey& key, const F& update) {
  constexpr int64_t kBlock = 256;
  HWY_ALIGN float exact[kBlock];
  for (int64_t block = begin; block < end; block += kBlock) {
    const int64_t count = std::min(kBlock, end - block);
    each_vector(count, [&](int64_t i, int64_t n)
                           SUANLI_INLINE { store(update(block + i, n, load(w + block + i, n)), exact + i, n); });
    for (int64_t i = 0; i < count; i += 8) {
      const auto words = philox(key, static_cast<uint64_t>(block + i) / 8);
      for (int64_t e = 0; e < std::min<int64_t>(8, count - i); ++e) {
        const uint32_t word = words[static_cast<size_t>(e / 2)];
        w[block + i + e].bits = round_stochastically(exact[i + e], e % 2 == 0 ? word & 0xffff : word >> 16);
      }
    }
  }
}

template <class T>
void adamw_as(const AdamwStep& a, const AdamwTensor& t, int64_t begin, int64_t end) {
  float *m = static_cast<float*>(t.first_moment), *v = static_cast<float*>(t.second_moment);
  const T* g = static_cast<const T*>(t.gradient);
  const auto set = [](double x) SUANLI_INLINE { return hn::Set(F32(), static_cast<float>(x)); };
  const StepScalars& now = *a.scalars;
  const Vector decay = set(1 - now.learning_rate * t.weight_decay), scale = set(*a.factor), eps = set(a.eps);
  const Vector beta1 = set(a.beta1), beta2 = set(a.beta2), rest1 = set(1 - a.beta1), rest2 = set(1 - a.beta2);
  const Vector rate = set(now.rate), root = set(1 / now.correction);
  const RandomKey key = {a.seed, static_cast<uint32_t>(now.step), t.site};
  update_weights(static_cast<T*>(t.weight), begin, end, key, [&](int64_t i, int64_t n, Vector weight) SUANLI_INLINE {
    const Vector gradient = hn::Mul(load(g + i, n), scale);
    const Vector first = hn::MulAdd(beta1, load(m + i, n), hn::Mul(rest1, gradient));
    const Vector second = hn::MulAdd(beta2, load(v + i, n), hn::Mul(hn::Mul(rest2, gradient), gradient));
    const Vector divisor = hn::MulAdd(hn::Sqrt(second), root, eps);
    store(first, m + i, n);
    store(second, v + i, n);
    return hn::NegMulAdd(rate, hn::Div(first, divisor), hn::Mul(weight, decay));
  });
}
void adamw_range(const AdamwStep& a, const AdamwTensor& t, int64_t begin, int64_t end) {
  t.dtype == DType::bf16 ? adamw_as<bfloat16>(a, t, begin, end) : adamw_as<float>(a, t, begin, end);
}

void sgd_range(const SgdStep& a, const SgdTensor& t, int64_t begin, int64_t end) {
  float* w = static_cast<float*>(t.weight) + begin;
  const float* g = static_cast<const float*>(t.gradient) + begin;
  const auto set = [](double x) SUANLI_INLINE { return hn::Set(F32(), static_cast<float>(x)); };
  const Vector scale = set(*a.factor), decay = set(t.weight_decay), rate = set(a.scalars->learning_rate);
  const auto gradient = [&](int64_t i, int64_t n)
                            SUANLI_INLINE { return hn::MulAdd(scale, load(g + i, n), hn::Mul(decay, load(w + i, n))); };
  if (a.momentum == 0) {
    each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
      store(hn::NegMulAdd(rate, gradient(i, n), load(w + i, n)), w + i, n);
    });
    return;
  }
  float* b = static_cast<float*>(t.buffer) + begin;
  const Vector momentum = set(a.momentum);
  each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
    const Vector moved = hn::MulAdd(momentum, load(b + i, n), gradient(i, n));
    store(moved, b + i, n);
    store(hn::NegMulAdd(rate, moved, load(w + i, n)), w + i, n);
  });
}

/// In f64, because the square of an f32 may overflow where the sum of a norm must not.
template <class T>
double squares_as(const T* x, int64_t count) {
  const hn::Repartition<double, F32> d64;
  auto low = hn::Zero(d64), high = low;
  each_vector(count, [&](int64_t i, int64_t n) SUANLI_INLINE {
    const Vector v = load(x + i, n);
#if HWY_TARGET == HWY_SCALAR
    const double value = hn::GetLane(v);
    low = hn::Set(d64, hn::GetLane(low) + value * value);
#else
    const hn::Half<F32> half;
    const auto a = hn::PromoteTo(d64, hn::LowerHalf(half, v)), b = hn::PromoteTo(d64, hn::UpperHalf(half, v));
    low = hn::MulAdd(a, a, low);
    high = hn::MulAdd(b, b, high);
#endif
  });
  return hn::GetLane(hn::SumOfLanes(d64, hn::Add(low, high)));
}
double block_squares(const ArrayView& x, int64_t begin, int64_t end) {
  return x.dtype == DType::f32 ? squares_as(static_cast<const float*>(x.data) + begin, end - begin)
                               : squares_as(static_cast<const bfloat16*>(x.data) + begin, end - begin);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {
HWY_EXPORT(adamw_range);
HWY_EXPORT(sgd_range);
HWY_EXPORT(block_squares);

namespace {

template <class Args>
Refusal only_f32(const Args& args, const Machine& machine) {
  const Refusal refusal = refuse_unless_simd(machine, args.dtype);
  return refusal != nullptr ? refusal : args.dtype == DType::f32 ? nullptr : "dtype is not f32";
}

/// Calls f(tensor, begin, end) for parts of the tensors, an equal number of elements for each thread, cut between
/// groups of 16.
template <class Tensor, class F>
void over_elements(std::span<const Tensor> tensors, const F& f) {
  constexpr int64_t kGroup = 16;
  int64_t groups = 0;
  for (const Tensor& tensor : tensors) groups += (tensor.count + kGroup - 1) / kGroup;
  parallel_for(groups, 16384 / kGroup, [&](int64_t begin, int64_t end) {
    int64_t first = 0;  // group of the tensor
    for (const Tensor& tensor : tensors) {
      const int64_t from = std::max<int64_t>(0, begin - first) * kGroup;
      const int64_t to = std::min(tensor.count, (end - first) * kGroup);
      if (from < to) f(tensor, from, to);
      first += (tensor.count + kGroup - 1) / kGroup;
    }
  });
}

void run_adamw(const AdamwStep& a, Stream&) {
  if (!std::isfinite(*a.factor)) return;
  over_elements(a.tensors, [&](const AdamwTensor& tensor, int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(adamw_range)(a, tensor, begin, end);
  });
}

void run_sgd(const SgdStep& a, Stream&) {
  if (!std::isfinite(*a.factor)) return;
  over_elements(a.tensors, [&](const SgdTensor& tensor, int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(sgd_range)(a, tensor, begin, end);
  });
}

Refusal can_sum(const SumsOfSquares& a, const Machine& machine) {
  Refusal refusal = refuse_unless_simd(machine, DType::f32);
  for (const ArrayView& array : a.arrays) {
    if (refusal == nullptr) refusal = refuse_unless_simd(machine, array.dtype);
  }
  return refusal;
}

/// Sums of blocks of all arrays in parallel, then those of each array in order.
void run_sums_of_squares(const SumsOfSquares& a, Stream&) {
  constexpr int64_t kBlock = 16384;
  const auto blocks_of = [](const ArrayView& array) { return (array.count + kBlock - 1) / kBlock; };
  int64_t blocks = 0;
  for (const ArrayView& array : a.arrays) blocks += blocks_of(array);
  double* sums = shared_scratch().get<double>(blocks + 1);
  parallel_for(blocks, 2, [&](int64_t begin, int64_t end) {
    int64_t first = 0;  // block of the array
    for (const ArrayView& array : a.arrays) {
      const int64_t last = std::min(end - first, blocks_of(array));
      for (int64_t b = std::max<int64_t>(0, begin - first); b < last; ++b) {
        const int64_t block_end = std::min(array.count, (b + 1) * kBlock);
        sums[first + b] = HWY_DYNAMIC_DISPATCH(block_squares)(array, b * kBlock, block_end);
      }
      first += blocks_of(array);
    }
  });
  for (size_t i = 0; i < a.arrays.size(); ++i) {
    a.sums[i] = 0;
    for (int64_t b = blocks_of(a.arrays[i]); b > 0; --b) a.sums[i] += *sums++;
  }
}

}  // namespace

void add_optimizer() {
  adamw_step.add({"simd", DeviceType::cpu, only_f32, run_adamw});
  sgd_step.add({"simd", DeviceType::cpu, only_f32, run_sgd});
  sums_of_squares.add({"simd", DeviceType::cpu, can_sum, run_sums_of_squares});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
