/// The largest or the mean value under each window of an image.
#pragma once

#include "kernels/registry.h"
#include "kernels/windows.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y[p,c] = the largest x[pixel,c] under window p, padding left out; NaN where one is NaN. tap [positions, channels]
/// (null: not kept) is the number of the tap it came from, the first of equals.
struct MaxPoolForward {
  const void* x;
  void* y;
  int32_t* tap;
  Windows windows;
  DType dtype;
};
inline Kernel<MaxPoolForward> max_pool_forward{"max_pool2d.forward"};
Work work_of(const MaxPoolForward& args);

/// dx[pixel,c] = sum of dy[p,c] over the windows p whose tap lies there.
struct MaxPoolBackward {
  const void* dy;
  const int32_t* tap;
  void* dx;
  Windows windows;
  DType dtype;
};
inline Kernel<MaxPoolBackward> max_pool_backward{"max_pool2d.backward"};
Work work_of(const MaxPoolBackward& args);

/// How many taps of window o the mean divides by: those inside the image or, where padding counts, those inside the
/// image and its padding (torch.nn.AvgPool2d's count_include_pad).
constexpr int64_t counted_taps(const WindowAxis& axis, int64_t window, bool count_padding) {
  const int64_t begin = axis.place(window, 0), edge = count_padding ? axis.padding : 0;
  const int64_t first = begin > -edge ? begin : -edge;
  const int64_t end = begin + axis.kernel < axis.in + edge ? begin + axis.kernel : axis.in + edge;
  return end - first;
}

/// y[p,c] = the sum of x[pixel,c] under window p, divided by its counted taps. No dilation.
struct AvgPoolForward {
  const void* x;
  void* y;
  Windows windows;
  bool count_padding;
  DType dtype;
};
inline Kernel<AvgPoolForward> avg_pool_forward{"avg_pool2d.forward"};
Work work_of(const AvgPoolForward& args);

/// dx[pixel,c] = sum of dy[p,c] / counted taps of p over the windows p on that pixel.
struct AvgPoolBackward {
  const void* dy;
  void* dx;
  Windows windows;
  bool count_padding;
  DType dtype;
};
inline Kernel<AvgPoolBackward> avg_pool_backward{"avg_pool2d.backward"};
Work work_of(const AvgPoolBackward& args);

}  // namespace suanli::kernels
