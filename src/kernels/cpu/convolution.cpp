#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/convolution.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/tap_list.h"
#include "kernels/depthwise.h"
#include "kernels/im2row.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// y[c] = bias[c] + sum over the list of term(item, c, n), for all channels.
template <class T, class Term>
HWY_INLINE void sum_list(const TapSource* list, int64_t count, int64_t channels, const float* bias, T* y,
                         const Term& term) {
  each_vector(channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
    Vector sum = bias == nullptr ? hn::Zero(F32()) : load(bias + c, n);
    for (int64_t i = 0; i < count; ++i) sum = term(list[i], c, n, sum);
    store(sum, y + c, n);
  });
}

/// Lines [begin, end) of pixels of all images.
template <class T>
void row2im_as(const Row2Im& a, int64_t begin, int64_t end) {
  const Windows& w = a.windows;
  each_pixel(w, begin, end, [&](int64_t pixel, const TapSource* list, int64_t count) HWY_ATTR {
    sum_list(list, count, w.channels, static_cast<const float*>(a.bias), static_cast<T*>(a.y) + pixel * a.pitch,
             [&](const TapSource& from, int64_t c, int64_t n, Vector sum) SUANLI_INLINE {
               const int64_t row = from.source * w.taps() + from.tap;
               return hn::Add(sum, load(static_cast<const T*>(a.rows) + row * w.channels + c, n));
             });
  });
}
void row2im_lines(const Row2Im& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? row2im_as<float>(a, begin, end) : row2im_as<bfloat16>(a, begin, end);
}

/// y[c] += x[source, c] weight[tap, c] over the list.
template <class T>
HWY_INLINE void weigh_list(const TapSource* list, int64_t count, int64_t channels, const void* x, const void* weight,
                           const void* bias, T* y) {
  sum_list(list, count, channels, static_cast<const float*>(bias), y,
           [&](const TapSource& from, int64_t c, int64_t n, Vector sum) SUANLI_INLINE {
             return hn::MulAdd(load(static_cast<const T*>(x) + from.source * channels + c, n),
                               load(static_cast<const T*>(weight) + from.tap * channels + c, n), sum);
           });
}

template <class T>
void depthwise_forward_as(const DepthwiseForward& a, int64_t begin, int64_t end) {
  const Windows& w = a.windows;
  each_window(w, begin, end, [&](int64_t position, const TapSource* list, int64_t count) HWY_ATTR {
    weigh_list(list, count, w.channels, a.x, a.weight, a.bias, static_cast<T*>(a.y) + position * w.channels);
  });
}
void depthwise_forward_lines(const DepthwiseForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? depthwise_forward_as<float>(a, begin, end) : depthwise_forward_as<bfloat16>(a, begin, end);
}

template <class T>
void depthwise_backward_as(const DepthwiseBackward& a, int64_t begin, int64_t end) {
  const Windows& w = a.windows;
  each_pixel(w, begin, end, [&](int64_t pixel, const TapSource* list, int64_t count) HWY_ATTR {
    weigh_list(list, count, w.channels, a.dy, a.weight, nullptr, static_cast<T*>(a.dx) + pixel * w.channels);
  });
}
void depthwise_backward_lines(const DepthwiseBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? depthwise_backward_as<float>(a, begin, end) : depthwise_backward_as<bfloat16>(a, begin, end);
}

/// partial [taps, channels] = what lines [begin, end) of positions add to dweight.
template <class T>
void depthwise_weight_as(const DepthwiseWeight& a, int64_t begin, int64_t end, float* partial) {
  const Windows& w = a.windows;
  each_vector(w.taps() * w.channels,
              [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Zero(F32()), partial + i, n); });
  each_window(w, begin, end, [&](int64_t position, const TapSource* list, int64_t count) HWY_ATTR {
    each_vector(w.channels, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector dy = load(static_cast<const T*>(a.dy) + position * w.channels + c, n);
      for (int64_t i = 0; i < count; ++i) {
        float* sum = partial + list[i].tap * w.channels + c;
        const Vector x = load(static_cast<const T*>(a.x) + list[i].source * w.channels + c, n);
        store(hn::MulAdd(x, dy, load(sum, n)), sum, n);
      }
    });
  });
}
void depthwise_weight_lines(const DepthwiseWeight& a, int64_t begin, int64_t end, float* partial) {
  a.dtype == DType::f32 ? depthwise_weight_as<float>(a, begin, end, partial)
                        : depthwise_weight_as<bfloat16>(a, begin, end, partial);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/combine.h"
#include "kernels/cpu/row_blocks.h"

namespace suanli::kernels {
HWY_EXPORT(row2im_lines);
HWY_EXPORT(depthwise_forward_lines);
HWY_EXPORT(depthwise_backward_lines);
HWY_EXPORT(depthwise_weight_lines);

namespace {

template <class Args>
Refusal simd(const Args& args, const Machine& machine) {
  return refuse_unless_simd(machine, args.dtype);
}

void run_depthwise_weight(const DepthwiseWeight& a, Stream&) {
  const Windows& w = a.windows;
  const RowBlocks blocks(w.images * w.vertical.out);
  const int64_t width = w.taps() * w.channels;
  float* partial = shared_scratch().get<float>(blocks.count * width + 1);
  parallel_for(blocks.count, line_grain(w) / blocks.size, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      HWY_DYNAMIC_DISPATCH(depthwise_weight_lines)(a, blocks.begin(b), blocks.end(b), partial + b * width);
    }
  });
  combine_row_blocks(partial, blocks.count, width, static_cast<float*>(a.dweight));
}

}  // namespace

void add_convolution() {
  row2im.add({"simd", DeviceType::cpu, simd, [](const Row2Im& a, Stream&) {
                parallel_for(a.windows.images * a.windows.vertical.in, line_grain(a.windows),
                             [&](int64_t begin, int64_t end) {
                               HWY_DYNAMIC_DISPATCH(row2im_lines)
                               (a, begin, end);
                             });
              }});
  depthwise_forward.add({"simd", DeviceType::cpu, simd, [](const DepthwiseForward& a, Stream&) {
                           parallel_for(a.windows.images * a.windows.vertical.out, line_grain(a.windows),
                                        [&](int64_t begin, int64_t end) {
                                          HWY_DYNAMIC_DISPATCH(depthwise_forward_lines)(a, begin, end);
                                        });
                         }});
  depthwise_backward.add({"simd", DeviceType::cpu, simd, [](const DepthwiseBackward& a, Stream&) {
                            parallel_for(a.windows.images * a.windows.vertical.in, line_grain(a.windows),
                                         [&](int64_t begin, int64_t end) {
                                           HWY_DYNAMIC_DISPATCH(depthwise_backward_lines)(a, begin, end);
                                         });
                          }});
  depthwise_weight.add({"simd", DeviceType::cpu, simd, run_depthwise_weight});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
