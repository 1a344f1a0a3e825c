#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optimizer.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <cmath>

#include "kernels/cpu/simd-inl.h"
#include "kernels/optimizer.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

void adamw_range(const AdamwStep& a, int64_t begin, int64_t end) {
  float* w = static_cast<float*>(a.weight) + begin;
  float* m = static_cast<float*>(a.first_moment) + begin;
  float* v = static_cast<float*>(a.second_moment) + begin;
  const float* g = static_cast<const float*>(a.gradient) + begin;
  const auto set = [](double x) SUANLI_INLINE { return hn::Set(F32(), static_cast<float>(x)); };
  const double step = static_cast<double>(a.step);
  const Vector decay = set(1 - a.learning_rate * a.weight_decay), scale = set(a.gradient_scale), eps = set(a.eps);
  const Vector beta1 = set(a.beta1), beta2 = set(a.beta2), rest1 = set(1 - a.beta1), rest2 = set(1 - a.beta2);
  const Vector rate = set(a.learning_rate / (1 - std::pow(a.beta1, step)));
  const Vector root = set(1 / std::sqrt(1 - std::pow(a.beta2, step)));
  each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
    const Vector gradient = hn::Mul(load(g + i, n), scale);
    const Vector first = hn::MulAdd(beta1, load(m + i, n), hn::Mul(rest1, gradient));
    const Vector second = hn::MulAdd(beta2, load(v + i, n), hn::Mul(hn::Mul(rest2, gradient), gradient));
    const Vector divisor = hn::MulAdd(hn::Sqrt(second), root, eps);
    store(first, m + i, n);
    store(second, v + i, n);
    store(hn::NegMulAdd(rate, hn::Div(first, divisor), hn::Mul(load(w + i, n), decay)), w + i, n);
  });
}

void sgd_range(const SgdStep& a, int64_t begin, int64_t end) {
  float* w = static_cast<float*>(a.weight) + begin;
  const float* g = static_cast<const float*>(a.gradient) + begin;
  const auto set = [](double x) SUANLI_INLINE { return hn::Set(F32(), static_cast<float>(x)); };
  const Vector scale = set(a.gradient_scale), decay = set(a.weight_decay), rate = set(a.learning_rate);
  const auto gradient = [&](int64_t i, int64_t n)
                            SUANLI_INLINE { return hn::MulAdd(scale, load(g + i, n), hn::Mul(decay, load(w + i, n))); };
  if (a.momentum == 0) {
    each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
      store(hn::NegMulAdd(rate, gradient(i, n), load(w + i, n)), w + i, n);
    });
    return;
  }
  float* b = static_cast<float*>(a.buffer) + begin;
  const Vector momentum = set(a.momentum);
  each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
    const Vector now = gradient(i, n), moved = a.first ? now : hn::MulAdd(momentum, load(b + i, n), now);
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
double block_squares(const SumOfSquares& a, int64_t begin, int64_t end) {
  return a.dtype == DType::f32 ? squares_as(static_cast<const float*>(a.x) + begin, end - begin)
                               : squares_as(static_cast<const bfloat16*>(a.x) + begin, end - begin);
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

void run_sum_of_squares(const SumOfSquares& a, Stream&) {
  constexpr int64_t kBlock = 16384;
  const int64_t blocks = (a.count + kBlock - 1) / kBlock;
  double* sums = shared_scratch().get<double>(blocks + 1);
  parallel_for(blocks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      sums[b] = HWY_DYNAMIC_DISPATCH(block_squares)(a, b * kBlock, std::min(a.count, (b + 1) * kBlock));
    }
  });
  *a.result = 0;
  for (int64_t b = 0; b < blocks; ++b) *a.result += sums[b];
}
}  // namespace

void add_optimizer() {
  adamw_step.add({"simd", DeviceType::cpu, only_f32, [](const AdamwStep& a, Stream&) {
                    parallel_for(a.count, 16384, [&](int64_t begin, int64_t end) {
                      HWY_DYNAMIC_DISPATCH(adamw_range)(a, begin, end);
                    });
                  }});
  sgd_step.add({"simd", DeviceType::cpu, only_f32, [](const SgdStep& a, Stream&) {
                  parallel_for(a.count, 16384, [&](int64_t begin, int64_t end) {
                    HWY_DYNAMIC_DISPATCH(sgd_range)(a, begin, end);
                  });
                }});
  sum_of_squares.add({"simd", DeviceType::cpu,
                      [](const SumOfSquares& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                      run_sum_of_squares});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
