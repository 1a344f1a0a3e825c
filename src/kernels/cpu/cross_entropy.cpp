#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cross_entropy.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <cmath>

#include "kernels/cpu/math-inl.h"
#include "kernels/loss.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// lse of the row in one pass over memory: blocks that stay in the first-level cache carry a running maximum and sum.
/// `total` is the sum of the logits.
template <class T>
HWY_INLINE float log_sum_exp(const T* x, int64_t vocab, bool wants_total, double* total) {
  constexpr int64_t kBlock = 4096;
  const Vector lowest = hn::Set(F32(), -HUGE_VALF), zero = hn::Zero(F32());
  float maximum = -HUGE_VALF;
  double sum = 0;
  *total = 0;
  for (int64_t begin = 0; begin < vocab; begin += kBlock) {
    const T* block = x + begin;
    const int64_t count = HWY_MIN(kBlock, vocab - begin);
    Vector high = lowest, part = zero, plain = zero;
    each_vector(count, [&](int64_t i, int64_t n)
                           SUANLI_INLINE { high = hn::Max(high, keep_first(load(block + i, n), n, lowest)); });
    const float top = std::fmax(maximum, max_of(high));
    const Vector shift = hn::Set(F32(), top);
    each_vector(count, [&](int64_t i, int64_t n) SUANLI_INLINE {
      part = hn::Add(part, keep_first(exp_negative(hn::Sub(load(block + i, n), shift)), n, zero));
    });
    if (wants_total) {
      each_vector(count, [&](int64_t i, int64_t n) SUANLI_INLINE { plain = hn::Add(plain, load(block + i, n)); });
      *total += static_cast<double>(sum_of(plain));
    }
    if (begin > 0) sum *= std::exp(static_cast<double>(maximum) - static_cast<double>(top));
    sum += static_cast<double>(sum_of(part));
    maximum = top;
  }
  return static_cast<float>(static_cast<double>(maximum) + std::log(sum));
}

template <class T>
void forward_as(const CrossEntropyForward& a, int64_t begin, int64_t end, double* losses) {
  for (int64_t t = begin; t < end; ++t) {
    const T* x = static_cast<const T*>(a.logits) + t * a.vocab;
    double total = 0;
    const float lse = log_sum_exp(x, a.vocab, a.smoothing != 0, &total);
    static_cast<float*>(a.lse)[t] = lse;
    losses[t] = 0;
    if (a.labels[t] == a.ignore) continue;
    const double label = static_cast<double>(static_cast<float>(x[a.labels[t]]));
    losses[t] = (1 - a.smoothing) * (static_cast<double>(lse) - label);
    if (a.smoothing != 0) {
      losses[t] += a.smoothing * (static_cast<double>(lse) - total / static_cast<double>(a.vocab));
    }
  }
}
void cross_entropy_forward_rows(const CrossEntropyForward& a, int64_t begin, int64_t end, double* losses) {
  a.dtype == DType::f32 ? forward_as<float>(a, begin, end, losses) : forward_as<bfloat16>(a, begin, end, losses);
}

template <class T>
void backward_as(const CrossEntropyBackward& a, int64_t begin, int64_t end) {
  const double weight = static_cast<double>(*static_cast<const float*>(a.dloss)) * a.scale;
  const Vector factor = hn::Set(F32(), static_cast<float>(weight));
  const Vector uniform = hn::Set(F32(), static_cast<float>(weight * a.smoothing / static_cast<double>(a.vocab)));
  for (int64_t t = begin; t < end; ++t) {
    const T* x = static_cast<const T*>(a.logits) + t * a.vocab;
    T* dx = static_cast<T*>(a.dlogits) + t * a.vocab;
    if (a.labels[t] == a.ignore) {
      each_vector(a.vocab, [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Zero(F32()), dx + i, n); });
      continue;
    }
    const float row_lse = static_cast<const float*>(a.lse)[t];
    const double label =
        std::exp(static_cast<double>(static_cast<float>(x[a.labels[t]])) - static_cast<double>(row_lse));
    const Vector lse = hn::Set(F32(), row_lse);
    each_vector(a.vocab, [&](int64_t i, int64_t n) SUANLI_INLINE {
      store(hn::MulSub(exp_negative(hn::Sub(load(x + i, n), lse)), factor, uniform), dx + i, n);
    });
    // The label's own element in f64: p - 1 would cancel where the model is sure.
    const double at_label = label - (1 - a.smoothing) - a.smoothing / static_cast<double>(a.vocab);
    dx[a.labels[t]] = T(static_cast<float>(weight * at_label));
  }
}
void cross_entropy_backward_rows(const CrossEntropyBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? backward_as<float>(a, begin, end) : backward_as<bfloat16>(a, begin, end);
}

template <class T>
void soft_forward_as(const SoftCrossEntropyForward& a, int64_t begin, int64_t end, double* losses) {
  for (int64_t t = begin; t < end; ++t) {
    const T* x = static_cast<const T*>(a.logits) + t * a.vocab;
    const float* q = static_cast<const float*>(a.targets) + t * a.vocab;
    double unused = 0;
    const float row_lse = log_sum_exp(x, a.vocab, false, &unused);
    static_cast<float*>(a.lse)[t] = row_lse;
    const Vector lse = hn::Set(F32(), row_lse), zero = hn::Zero(F32());
    Vector sum = zero;
    each_vector(a.vocab, [&](int64_t i, int64_t n) SUANLI_INLINE {
      const Vector weight = load(q + i, n), term = hn::Mul(weight, hn::Sub(lse, load(x + i, n)));
      sum = hn::Add(sum, hn::IfThenElse(hn::Eq(weight, zero), zero, term));  // not 0 * infinity
    });
    losses[t] = static_cast<double>(sum_of(sum));
  }
}
void soft_cross_entropy_forward_rows(const SoftCrossEntropyForward& a, int64_t begin, int64_t end, double* losses) {
  a.dtype == DType::f32 ? soft_forward_as<float>(a, begin, end, losses)
                        : soft_forward_as<bfloat16>(a, begin, end, losses);
}

template <class T>
void soft_backward_as(const SoftCrossEntropyBackward& a, int64_t begin, int64_t end) {
  const Vector weight = hn::Set(F32(), *static_cast<const float*>(a.dloss) * static_cast<float>(a.scale));
  for (int64_t t = begin; t < end; ++t) {
    const T* x = static_cast<const T*>(a.logits) + t * a.vocab;
    const float* q = static_cast<const float*>(a.targets) + t * a.vocab;
    T* dx = static_cast<T*>(a.dlogits) + t * a.vocab;
    Vector sum = hn::Zero(F32());
    each_vector(a.vocab, [&](int64_t i, int64_t n) SUANLI_INLINE { sum = hn::Add(sum, load(q + i, n)); });
    const Vector mass = hn::Set(F32(), sum_of(sum)), lse = hn::Set(F32(), static_cast<const float*>(a.lse)[t]);
    each_vector(a.vocab, [&](int64_t i, int64_t n) SUANLI_INLINE {
      const Vector p = exp_negative(hn::Sub(load(x + i, n), lse));
      store(hn::Mul(weight, hn::MulSub(p, mass, load(q + i, n))), dx + i, n);
    });
  }
}
void soft_cross_entropy_backward_rows(const SoftCrossEntropyBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? soft_backward_as<float>(a, begin, end) : soft_backward_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {
HWY_EXPORT(cross_entropy_forward_rows);
HWY_EXPORT(cross_entropy_backward_rows);
HWY_EXPORT(soft_cross_entropy_forward_rows);
HWY_EXPORT(soft_cross_entropy_backward_rows);

namespace {
/// loss = scale * sum of losses[t], which `rows` fills for the rows it is given.
template <class Args, class Rows>
void sum_rows(const Args& a, const Rows& rows) {
  double* losses = shared_scratch().get<double>(a.rows + 1);
  parallel_for(a.rows, 16384 / (a.vocab + 1), [&](int64_t begin, int64_t end) { rows(begin, end, losses); });
  double sum = 0;
  for (int64_t t = 0; t < a.rows; ++t) sum += losses[t];
  *static_cast<float*>(a.loss) = static_cast<float>(a.scale * sum);
}

template <class Args>
Refusal refuse_loss(const Args& a, const Machine& m) {
  return refuse_unless_simd(m, a.dtype);
}

void run_forward(const CrossEntropyForward& a, Stream&) {
  sum_rows(a, [&](int64_t begin, int64_t end, double* losses) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_forward_rows)(a, begin, end, losses);
  });
}
void run_backward(const CrossEntropyBackward& a, Stream&) {
  parallel_for(a.rows, 16384 / (a.vocab + 1), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_backward_rows)(a, begin, end);
  });
}
void run_soft_forward(const SoftCrossEntropyForward& a, Stream&) {
  sum_rows(a, [&](int64_t begin, int64_t end, double* losses) {
    HWY_DYNAMIC_DISPATCH(soft_cross_entropy_forward_rows)(a, begin, end, losses);
  });
}
void run_soft_backward(const SoftCrossEntropyBackward& a, Stream&) {
  parallel_for(a.rows, 16384 / (a.vocab + 1), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(soft_cross_entropy_backward_rows)(a, begin, end);
  });
}
}  // namespace

void add_cross_entropy() {
  cross_entropy_forward.add({"simd", DeviceType::cpu, refuse_loss, run_forward});
  cross_entropy_backward.add({"simd", DeviceType::cpu, refuse_loss, run_backward});
  soft_cross_entropy_forward.add({"simd", DeviceType::cpu, refuse_loss, run_soft_forward});
  soft_cross_entropy_backward.add({"simd", DeviceType::cpu, refuse_loss, run_soft_backward});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
