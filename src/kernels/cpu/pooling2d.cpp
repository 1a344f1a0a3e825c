#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pooling2d.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/tap_list.h"
#include "kernels/pooling2d.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

using I32 = hn::RebindToSigned<F32>;

template <class T>
void max_pool_as(const MaxPoolForward& a, int64_t begin, int64_t end) {
  const Windows& w = a.windows;
  each_window(w, begin, end, [&](int64_t position, const TapSource* list, int64_t count) HWY_ATTR {
    each_vector(w.channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const auto value = [&](int64_t i) SUANLI_INLINE {
        return load(static_cast<const T*>(a.x) + list[i].source * w.channels + c, n);
      };
      Vector most = value(0);
      auto tap = hn::Set(I32(), static_cast<int32_t>(list[0].tap));
      for (int64_t i = 1; i < count; ++i) {
        const Vector v = value(i);
        const auto takes = hn::Or(hn::Gt(v, most), hn::AndNot(hn::IsNaN(most), hn::IsNaN(v)));
        most = hn::IfThenElse(takes, v, most);
        const auto here = hn::Set(I32(), static_cast<int32_t>(list[i].tap));
        tap = hn::IfThenElse(hn::RebindMask(I32(), takes), here, tap);
      }
      store(most, static_cast<T*>(a.y) + position * w.channels + c, n);
      if (a.tap != nullptr) {  // bits, whatever their type
        store(hn::BitCast(F32(), tap), reinterpret_cast<float*>(a.tap) + position * w.channels + c, n);
      }
    });
  });
}
void max_pool_lines(const MaxPoolForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? max_pool_as<float>(a, begin, end) : max_pool_as<bfloat16>(a, begin, end);
}

template <class T>
void max_pool_backward_as(const MaxPoolBackward& a, int64_t begin, int64_t end) {
  const Windows& w = a.windows;
  each_pixel(w, begin, end, [&](int64_t pixel, const TapSource* list, int64_t count) HWY_ATTR {
    each_vector(w.channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
      Vector sum = hn::Zero(F32());
      for (int64_t i = 0; i < count; ++i) {
        const int64_t from = list[i].source * w.channels + c;
        const auto tap = hn::BitCast(I32(), load(reinterpret_cast<const float*>(a.tap) + from, n));
        const auto here = hn::Eq(tap, hn::Set(I32(), static_cast<int32_t>(list[i].tap)));
        const Vector dy = load(static_cast<const T*>(a.dy) + from, n);
        sum = hn::Add(sum, hn::IfThenElseZero(hn::RebindMask(F32(), here), dy));
      }
      store(sum, static_cast<T*>(a.dx) + pixel * w.channels + c, n);
    });
  });
}
void max_pool_backward_lines(const MaxPoolBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? max_pool_backward_as<float>(a, begin, end) : max_pool_backward_as<bfloat16>(a, begin, end);
}

/// 1 / counted taps of a window.
HWY_INLINE Vector share_of(const Windows& w, int64_t position, bool count_padding) {
  const int64_t x = position % w.horizontal.out, y = position / w.horizontal.out % w.vertical.out;
  return hn::Set(F32(), 1.0F / static_cast<float>(counted_taps(w.vertical, y, count_padding) *
                                                  counted_taps(w.horizontal, x, count_padding)));
}

template <class T>
void avg_pool_as(const AvgPoolForward& a, int64_t begin, int64_t end) {
  const Windows& w = a.windows;
  each_window(w, begin, end, [&](int64_t position, const TapSource* list, int64_t count) HWY_ATTR {
    const Vector share = share_of(w, position, a.count_padding);
    each_vector(w.channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
      Vector sum = hn::Zero(F32());
      for (int64_t i = 0; i < count; ++i) {
        sum = hn::Add(sum, load(static_cast<const T*>(a.x) + list[i].source * w.channels + c, n));
      }
      store(hn::Mul(sum, share), static_cast<T*>(a.y) + position * w.channels + c, n);
    });
  });
}
void avg_pool_lines(const AvgPoolForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? avg_pool_as<float>(a, begin, end) : avg_pool_as<bfloat16>(a, begin, end);
}

template <class T>
void avg_pool_backward_as(const AvgPoolBackward& a, int64_t begin, int64_t end) {
  const Windows& w = a.windows;
  each_pixel(w, begin, end, [&](int64_t pixel, const TapSource* list, int64_t count) HWY_ATTR {
    each_vector(w.channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
      Vector sum = hn::Zero(F32());
      for (int64_t i = 0; i < count; ++i) {
        const Vector dy = load(static_cast<const T*>(a.dy) + list[i].source * w.channels + c, n);
        sum = hn::MulAdd(dy, share_of(w, list[i].source, a.count_padding), sum);
      }
      store(sum, static_cast<T*>(a.dx) + pixel * w.channels + c, n);
    });
  });
}
void avg_pool_backward_lines(const AvgPoolBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? avg_pool_backward_as<float>(a, begin, end) : avg_pool_backward_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(max_pool_lines);
HWY_EXPORT(max_pool_backward_lines);
HWY_EXPORT(avg_pool_lines);
HWY_EXPORT(avg_pool_backward_lines);

namespace {
template <class Args>
Refusal simd(const Args& args, const Machine& machine) {
  return refuse_unless_simd(machine, args.dtype);
}
/// Shares lines of positions (forward) or of pixels (backward).
template <class F>
void over_lines(const Windows& w, bool of_pixels, const F& f) {
  parallel_for(w.images * (of_pixels ? w.vertical.in : w.vertical.out), line_grain(w), f);
}
}  // namespace

void add_pooling2d() {
  max_pool_forward.add({"simd", DeviceType::cpu, simd, [](const MaxPoolForward& a, Stream&) {
                          over_lines(a.windows, false, [&](int64_t begin, int64_t end) {
                            HWY_DYNAMIC_DISPATCH(max_pool_lines)(a, begin, end);
                          });
                        }});
  max_pool_backward.add({"simd", DeviceType::cpu, simd, [](const MaxPoolBackward& a, Stream&) {
                           over_lines(a.windows, true, [&](int64_t begin, int64_t end) {
                             HWY_DYNAMIC_DISPATCH(max_pool_backward_lines)(a, begin, end);
                           });
                         }});
  avg_pool_forward.add({"simd", DeviceType::cpu, simd, [](const AvgPoolForward& a, Stream&) {
                          over_lines(a.windows, false, [&](int64_t begin, int64_t end) {
                            HWY_DYNAMIC_DISPATCH(avg_pool_lines)(a, begin, end);
                          });
                        }});
  avg_pool_backward.add({"simd", DeviceType::cpu, simd, [](const AvgPoolBackward& a, Stream&) {
                           over_lines(a.windows, true, [&](int64_t begin, int64_t end) {
                             HWY_DYNAMIC_DISPATCH(avg_pool_backward_lines)(a, begin, end);
                           });
                         }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
