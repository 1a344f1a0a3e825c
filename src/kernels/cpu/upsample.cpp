#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/upsample.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/simd-inl.h"
#include "kernels/upsample.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Lines [begin, end) of all images of y.
template <class T>
void upsample_as(const UpsampleForward& a, int64_t begin, int64_t end) {
  const ResizeAxis &v = a.vertical, &h = a.horizontal;
  for (int64_t line = begin; line < end; ++line) {
    const ResizeAxis::Source y = v.source(line % v.out);
    const int64_t first_row = line / v.out * v.in;
    const T* upper = static_cast<const T*>(a.x) + (first_row + y.first) * h.in * a.channels;
    const T* lower = static_cast<const T*>(a.x) + (first_row + y.second) * h.in * a.channels;
    for (int64_t o = 0; o < h.out; ++o) {
      const ResizeAxis::Source x = h.source(o);
      const auto share = [](double value) SUANLI_INLINE { return hn::Set(F32(), static_cast<float>(value)); };
      const Vector w00 = share((1 - y.share) * (1 - x.share)), w01 = share((1 - y.share) * x.share);
      const Vector w10 = share(y.share * (1 - x.share)), w11 = share(y.share * x.share);
      const int64_t left = x.first * a.channels, right = x.second * a.channels;
      T* out = static_cast<T*>(a.y) + (line * h.out + o) * a.channels;
      each_vector(a.channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
        if (a.vertical.kind == Interpolation::nearest) {  // also of infinities and NaN
          store(load(upper + left + c, n), out + c, n);
          return;
        }
        Vector sum = hn::Mul(w00, load(upper + left + c, n));
        sum = hn::MulAdd(w01, load(upper + right + c, n), sum);
        sum = hn::MulAdd(w10, load(lower + left + c, n), sum);
        store(hn::MulAdd(w11, load(lower + right + c, n), sum), out + c, n);
      });
    }
  }
}
void upsample_lines(const UpsampleForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? upsample_as<float>(a, begin, end) : upsample_as<bfloat16>(a, begin, end);
}

/// Lines [begin, end) of all images of dx.
template <class T>
void upsample_backward_as(const UpsampleBackward& a, int64_t begin, int64_t end) {
  const ResizeAxis &v = a.vertical, &h = a.horizontal;
  for (int64_t line = begin; line < end; ++line) {
    const int64_t y = line % v.in, image = line / v.in;
    for (int64_t x = 0; x < h.in; ++x) {
      each_vector(a.channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
        Vector sum = hn::Zero(F32());
        for (int64_t oy = v.first_of(y); oy < v.end_of(y); ++oy) {
          const double down = v.weight(y, oy);
          if (down == 0) continue;
          for (int64_t ox = h.first_of(x); ox < h.end_of(x); ++ox) {
            const double weight = down * h.weight(x, ox);
            if (weight == 0) continue;
            const T* dy = static_cast<const T*>(a.dy) + ((image * v.out + oy) * h.out + ox) * a.channels + c;
            sum = hn::MulAdd(hn::Set(F32(), static_cast<float>(weight)), load(dy, n), sum);
          }
        }
        store(sum, static_cast<T*>(a.dx) + (line * h.in + x) * a.channels + c, n);
      });
    }
  }
}
void upsample_backward_lines(const UpsampleBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? upsample_backward_as<float>(a, begin, end) : upsample_backward_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(upsample_lines);
HWY_EXPORT(upsample_backward_lines);

void add_upsample() {
  upsample_forward.add({"simd", DeviceType::cpu,
                        [](const UpsampleForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                        [](const UpsampleForward& a, Stream&) {
                          parallel_for(a.images * a.vertical.out, 32768 / (a.horizontal.out * a.channels * 4 + 1),
                                       [&](int64_t begin, int64_t end) {
                                         HWY_DYNAMIC_DISPATCH(upsample_lines)(a, begin, end);
                                       });
                        }});
  upsample_backward.add({"simd", DeviceType::cpu,
                         [](const UpsampleBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                         [](const UpsampleBackward& a, Stream&) {
                           parallel_for(a.images * a.vertical.in, 32768 / (a.horizontal.out * a.channels * 4 + 1),
                                        [&](int64_t begin, int64_t end) {
                                          HWY_DYNAMIC_DISPATCH(upsample_backward_lines)(a, begin, end);
                                        });
                         }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
