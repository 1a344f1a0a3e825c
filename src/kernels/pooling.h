/// From tokens to sentences: the mean over each packed sequence, and unit length.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y[b,:] = mean of x[t,:] over offsets[b] <= t < offsets[b+1] (0 for an empty sequence); x [T,width], y [B,width].
struct SegmentMeanForward {
  const void* x;
  const int32_t* offsets;
  void* y;
  int64_t sequences, width;
  DType dtype;
  int64_t tokens = 0;  ///< rows of x, for work_of; 0: offsets are on the host and say it
};
inline Kernel<SegmentMeanForward> segment_mean_forward{"segment_mean.forward"};
Work work_of(const SegmentMeanForward& args);

/// dx[t,:] = dy[b,:] / length of b.
struct SegmentMeanBackward {
  const void* dy;
  const int32_t* offsets;
  void* dx;
  int64_t sequences, width;
  DType dtype;
  int64_t tokens = 0;  ///< rows of dx, likewise
};
inline Kernel<SegmentMeanBackward> segment_mean_backward{"segment_mean.backward"};
Work work_of(const SegmentMeanBackward& args);

/// y[r,:] = x[r,:] / max(norm_r, eps), norm_r = sqrt(sum x^2) (torch.nn.functional.normalize); norm [rows] f32 (f64).
struct NormalizeForward {
  const void* x;
  void *y, *norm;
  int64_t rows, width;
  double eps;
  DType dtype;
};
inline Kernel<NormalizeForward> normalize_forward{"normalize.forward"};
Work work_of(const NormalizeForward& args);

/// dx = (dy - y (y . dy)) / norm; dy / eps where norm < eps.
struct NormalizeBackward {
  const void *dy, *y, *norm;
  void* dx;
  int64_t rows, width;
  double eps;
  DType dtype;
};
inline Kernel<NormalizeBackward> normalize_backward{"normalize.backward"};
Work work_of(const NormalizeBackward& args);

}  // namespace suanli::kernels
