/// The gated unit between the products of a feed-forward layer.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y[r,c] = silu(x[r,c]) x[r, width + c], silu(g) = g / (1 + exp(-g)) (Shazeer 2020). x [rows, 2 width]: the gate, then
/// what it gates; y [rows, width].
struct SwigluForward {
  const void* x;
  void* y;
  int64_t rows, width;
  DType dtype;
};
inline Kernel<SwigluForward> swiglu_forward{"swiglu.forward"};
Work work_of(const SwigluForward& args);

/// With g = x[r,c], u = x[r, width + c], s = 1 / (1 + exp(-g)):
///   dx[r,c] = dy[r,c] u s (1 + g (1 - s));  dx[r, width + c] = dy[r,c] g s.  dx may be x.
struct SwigluBackward {
  const void *dy, *x;
  void* dx;
  int64_t rows, width;
  DType dtype;
};
inline Kernel<SwigluBackward> swiglu_backward{"swiglu.backward"};
Work work_of(const SwigluBackward& args);

}  // namespace suanli::kernels
