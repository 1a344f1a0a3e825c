#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/roi_align.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <algorithm>

#include "kernels/cpu/scratch.h"
#include "kernels/cpu/simd-inl.h"
#include "kernels/roi_align.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Boxes [begin, end).
template <class T>
void roi_align_as(const RoiAlignForward& a, int64_t begin, int64_t end) {
  const RoiAlignSizes& s = a.sizes;
  for (int64_t n = begin; n < end; ++n) {
    const float* box = static_cast<const float*>(a.boxes) + n * 4;
    const RoiAxis v = s.vertical(box), h = s.horizontal(box);
    const T* image = static_cast<const T*>(a.x) + a.image_of[n] * s.height * s.width * s.channels;
    for (int64_t bin = 0; bin < s.out_height * s.out_width; ++bin) {
      T* out = static_cast<T*>(a.y) + (n * s.out_height * s.out_width + bin) * s.channels;
      each_vector(s.channels, [&](int64_t c, int64_t lanes) SUANLI_INLINE {
        Vector sum = hn::Zero(F32());
        const auto add = [&](int64_t row, int64_t column, double weight) SUANLI_INLINE {
          const Vector value = load(image + (row * s.width + column) * s.channels + c, lanes);
          sum = hn::MulAdd(hn::Set(F32(), static_cast<float>(weight)), value, sum);
        };
        for (int64_t sy = 0; sy < v.samples; ++sy) {
          const RoiAxis::Place y = v.place(bin / s.out_width, sy);
          for (int64_t sx = 0; y.inside && sx < h.samples; ++sx) {
            const RoiAxis::Place x = h.place(bin % s.out_width, sx);
            if (!x.inside) continue;
            add(y.low, x.low, (1 - y.share) * (1 - x.share));
            add(y.low, x.high, (1 - y.share) * x.share);
            add(y.high, x.low, y.share * (1 - x.share));
            add(y.high, x.high, y.share * x.share);
          }
        }
        store(hn::Mul(sum, hn::Set(F32(), static_cast<float>(RoiAlignSizes::share(v, h)))), out + c, lanes);
      });
    }
  }
}
void roi_align_boxes(const RoiAlignForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? roi_align_as<float>(a, begin, end) : roi_align_as<bfloat16>(a, begin, end);
}

/// Lines [begin, end) of all images of dx, each gathered from the bins that reach it.
template <class T>
void roi_align_backward_as(const RoiAlignBackward& a, int64_t begin, int64_t end) {
  const RoiAlignSizes& s = a.sizes;
  const int64_t length = s.width * s.channels;
  float* sums = local_scratch().get<float>(length);
  for (int64_t line = begin; line < end; ++line) {
    std::fill_n(sums, length, 0.0F);
    for (int64_t n = 0; n < s.boxes; ++n) {
      if (a.image_of[n] != line / s.height) continue;
      const float* box = static_cast<const float*>(a.boxes) + n * 4;
      const RoiAxis v = s.vertical(box), h = s.horizontal(box);
      for (int64_t i = 0; i < s.out_height; ++i) {
        const double down = v.weight(i, line % s.height) * RoiAlignSizes::share(v, h);
        for (int64_t place = 0; down != 0 && place < s.out_width * h.samples; ++place) {
          const int64_t j = place / h.samples;
          const RoiAxis::Place x = h.place(j, place % h.samples);
          if (!x.inside) continue;
          const Vector low = hn::Set(F32(), static_cast<float>(down * (1 - x.share)));
          const Vector high = hn::Set(F32(), static_cast<float>(down * x.share));
          const T* dy = static_cast<const T*>(a.dy) + ((n * s.out_height + i) * s.out_width + j) * s.channels;
          each_vector(s.channels, [&](int64_t c, int64_t lanes) SUANLI_INLINE {
            const Vector value = load(dy + c, lanes);
            float *left = sums + x.low * s.channels + c, *right = sums + x.high * s.channels + c;
            store(hn::MulAdd(low, value, load(left, lanes)), left, lanes);
            store(hn::MulAdd(high, value, load(right, lanes)), right, lanes);
          });
        }
      }
    }
    convert(sums, static_cast<T*>(a.dx) + line * length, length);
  }
}
void roi_align_backward_lines(const RoiAlignBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? roi_align_backward_as<float>(a, begin, end) : roi_align_backward_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(roi_align_boxes);
HWY_EXPORT(roi_align_backward_lines);

void add_roi_align() {
  roi_align_forward.add({"simd", DeviceType::cpu,
                         [](const RoiAlignForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                         [](const RoiAlignForward& a, Stream&) {
                           parallel_for(a.sizes.boxes, 4, [&](int64_t begin, int64_t end) {
                             HWY_DYNAMIC_DISPATCH(roi_align_boxes)(a, begin, end);
                           });
                         }});
  roi_align_backward.add({"simd", DeviceType::cpu,
                          [](const RoiAlignBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                          [](const RoiAlignBackward& a, Stream&) {
                            parallel_for(a.sizes.images * a.sizes.height, 1, [&](int64_t begin, int64_t end) {
                              HWY_DYNAMIC_DISPATCH(roi_align_backward_lines)(a, begin, end);
                            });
                          }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
