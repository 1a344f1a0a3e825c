/// Convolutions of images as one call, for a device whose library needs no rows of pixels in between. Elsewhere ops
/// multiply rows (im2row.h): on a CPU there is the definition alone.
#pragma once

#include "kernels/registry.h"
#include "kernels/windows.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// From x [pixels, I] to y [positions, O] with weight [O, taps, I/groups]; output o sees the inputs of its group.
struct ConvolutionShape {
  Windows windows;  ///< channels: I/groups
  int64_t outputs, groups;

  int64_t inputs() const { return windows.channels * groups; }
  int64_t x_elements() const { return windows.pixels() * inputs(); }
  int64_t weight_elements() const { return outputs * windows.taps() * windows.channels; }
  int64_t y_elements() const { return windows.positions() * outputs; }
};

/// y[p,o] = bias[o] + sum over taps and channels of weight[o,tap,i] x[pixel under the tap of window p, i]; bias f32
/// (f64 for f64), null: 0. Summed in f32 (f64) and rounded once. `device` is where the arrays lie: a library is asked
/// there.
struct ConvolutionForward {
  const void *x, *weight, *bias;
  void* y;
  ConvolutionShape shape;
  DType dtype;
  Device device = {};
};
inline Kernel<ConvolutionForward> convolution_forward{"convolution.forward"};
Work work_of(const ConvolutionForward& args);

/// dx[pixel,i] = bias[i] + sum over the windows p with a tap on it of dy[p,o] weight[o,tap,i]; bias [I] as above, for
/// convolutions that are transposed themselves.
struct ConvolutionBackward {
  const void *dy, *weight, *bias;
  void* dx;
  ConvolutionShape shape;
  DType dtype;
  Device device = {};
};
inline Kernel<ConvolutionBackward> convolution_backward{"convolution.backward"};
Work work_of(const ConvolutionBackward& args);

/// dweight[o,tap,i] = sum over windows p of dy[p,o] x[pixel under the tap, i]; dweight f32 (f64 for f64).
struct ConvolutionWeight {
  const void *dy, *x;
  void* dweight;
  ConvolutionShape shape;
  DType dtype;
  Device device = {};
};
inline Kernel<ConvolutionWeight> convolution_weight{"convolution.weight"};
Work work_of(const ConvolutionWeight& args);

}  // namespace suanli::kernels
