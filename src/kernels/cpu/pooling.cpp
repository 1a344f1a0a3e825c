#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pooling.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <cmath>

#include "kernels/cpu/simd-inl.h"
#include "kernels/pooling.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class T>
void mean_as(const SegmentMeanForward& a, int64_t begin, int64_t end) {
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = a.offsets[b], length = a.offsets[b + 1] - first;
    const T* x = static_cast<const T*>(a.x) + first * a.width;
    const Vector divisor = hn::Set(F32(), static_cast<float>(HWY_MAX(length, 1)));
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      Vector sum = hn::Zero(F32());
      for (int64_t t = 0; t < length; ++t) sum = hn::Add(sum, load(x + t * a.width + c, n));
      store(hn::Div(sum, divisor), static_cast<T*>(a.y) + b * a.width + c, n);
    });
  }
}
void segment_mean_forward_rows(const SegmentMeanForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? mean_as<float>(a, begin, end) : mean_as<bfloat16>(a, begin, end);
}

template <class T>
void mean_backward_as(const SegmentMeanBackward& a, int64_t begin, int64_t end) {
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = a.offsets[b], length = a.offsets[b + 1] - first;
    const Vector divisor = hn::Set(F32(), static_cast<float>(length));
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector share = hn::Div(load(static_cast<const T*>(a.dy) + b * a.width + c, n), divisor);
      for (int64_t t = 0; t < length; ++t) store(share, static_cast<T*>(a.dx) + (first + t) * a.width + c, n);
    });
  }
}
void segment_mean_backward_rows(const SegmentMeanBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? mean_backward_as<float>(a, begin, end) : mean_backward_as<bfloat16>(a, begin, end);
}

template <class T>
void normalize_as(const NormalizeForward& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * a.width;
    const float norm = std::sqrt(dot(x, x, a.width));
    static_cast<float*>(a.norm)[r] = norm;
    const Vector divisor = hn::Set(F32(), norm < static_cast<float>(a.eps) ? static_cast<float>(a.eps) : norm);
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      store(hn::Div(load(x + c, n), divisor), static_cast<T*>(a.y) + r * a.width + c, n);
    });
  }
}
void normalize_forward_rows(const NormalizeForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? normalize_as<float>(a, begin, end) : normalize_as<bfloat16>(a, begin, end);
}

template <class T>
void normalize_backward_as(const NormalizeBackward& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T *dy = static_cast<const T*>(a.dy) + r * a.width, *y = static_cast<const T*>(a.y) + r * a.width;
    const float norm = static_cast<const float*>(a.norm)[r], eps = static_cast<float>(a.eps);
    const Vector projection = hn::Set(F32(), norm < eps ? 0.0F : dot(y, dy, a.width));
    const Vector divisor = hn::Set(F32(), norm < eps ? eps : norm);
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector rest = hn::NegMulAdd(load(y + c, n), projection, load(dy + c, n));
      store(hn::Div(rest, divisor), static_cast<T*>(a.dx) + r * a.width + c, n);
    });
  }
}
void normalize_backward_rows(const NormalizeBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? normalize_backward_as<float>(a, begin, end) : normalize_backward_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(segment_mean_forward_rows);
HWY_EXPORT(segment_mean_backward_rows);
HWY_EXPORT(normalize_forward_rows);
HWY_EXPORT(normalize_backward_rows);

namespace {
/// Sequences that one thread takes: their lengths are known on the device alone, so tokens are counted.
int64_t segment_grain(const int32_t* offsets, int64_t sequences, int64_t width) {
  return static_cast<int64_t>(offsets[sequences]) * width <= 32768 ? sequences : 0;
}
template <class Args>
Refusal simd(const Args& args, const Machine& machine) {
  return refuse_unless_simd(machine, args.dtype);
}
}  // namespace

void add_pooling() {
  segment_mean_forward.add({"simd", DeviceType::cpu, simd, [](const SegmentMeanForward& a, Stream&) {
                              parallel_for(a.sequences, segment_grain(a.offsets, a.sequences, a.width),
                                           [&](int64_t begin, int64_t end) {
                                             HWY_DYNAMIC_DISPATCH(segment_mean_forward_rows)(a, begin, end);
                                           });
                            }});
  segment_mean_backward.add({"simd", DeviceType::cpu, simd, [](const SegmentMeanBackward& a, Stream&) {
                               parallel_for(a.sequences, segment_grain(a.offsets, a.sequences, a.width),
                                            [&](int64_t begin, int64_t end) {
                                              HWY_DYNAMIC_DISPATCH(segment_mean_backward_rows)(a, begin, end);
                                            });
                             }});
  normalize_forward.add({"simd", DeviceType::cpu, simd, [](const NormalizeForward& a, Stream&) {
                           parallel_for(a.rows, 16384 / (a.width + 1), [&](int64_t begin, int64_t end) {
                             HWY_DYNAMIC_DISPATCH(normalize_forward_rows)(a, begin, end);
                           });
                         }});
  normalize_backward.add({"simd", DeviceType::cpu, simd, [](const NormalizeBackward& a, Stream&) {
                            parallel_for(a.rows, 16384 / (a.width + 1), [&](int64_t begin, int64_t end) {
                              HWY_DYNAMIC_DISPATCH(normalize_backward_rows)(a, begin, end);
                            });
                          }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
