/// Convolutions of each channel by itself (Howard et al. 2017), which are no matrix products.
#pragma once

#include "kernels/registry.h"
#include "kernels/windows.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y[p,c] = bias[c] + sum over taps of x[pixel under the tap of window p, c] weight[tap,c]; x [pixels, channels],
/// y [positions, channels], weight [taps, channels]; bias f32 (f64 for f64), null: 0. Summed in f32 (f64).
struct DepthwiseForward {
  const void *x, *weight, *bias;
  void* y;
  Windows windows;
  DType dtype;
};
inline Kernel<DepthwiseForward> depthwise_forward{"depthwise.forward"};
Work work_of(const DepthwiseForward& args);

/// dx[pixel,c] = sum over the windows p with a tap on it of dy[p,c] weight[tap,c].
struct DepthwiseBackward {
  const void *dy, *weight;
  void* dx;
  Windows windows;
  DType dtype;
};
inline Kernel<DepthwiseBackward> depthwise_backward{"depthwise.backward"};
Work work_of(const DepthwiseBackward& args);

/// dweight[tap,c] = sum over windows p of dy[p,c] x[pixel under the tap, c]; dweight f32 (f64 for f64). The order of
/// the sum depends on the shape alone.
struct DepthwiseWeight {
  const void *dy, *x;
  void* dweight;
  Windows windows;
  DType dtype;
};
inline Kernel<DepthwiseWeight> depthwise_weight{"depthwise.weight"};
Work work_of(const DepthwiseWeight& args);

}  // namespace suanli::kernels
