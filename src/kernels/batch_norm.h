/// Batch normalisation: each column (channel) of a matrix by its own mean and variance.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// mean[c] and rstd[c] = 1 / sqrt(var[c] + eps) of the columns of x [rows, width], var with divisor rows; all f32 (f64
/// for f64). Where given, running_mean = (1 - momentum) running_mean + momentum mean, and running_var likewise with
/// divisor rows - 1 (Ioffe and Szegedy 2015; torch.nn.BatchNorm2d). The order of sums depends on the shape alone.
struct BatchNormStatistics {
  const void* x;
  void *mean, *rstd, *running_mean, *running_var;
  int64_t rows, width;
  double eps, momentum;
  DType dtype;
};
inline Kernel<BatchNormStatistics> batch_norm_statistics{"batch_norm.statistics"};
Work work_of(const BatchNormStatistics& args);

/// rstd[c] = 1 / sqrt(var[c] + eps) of a variance that is known; var and rstd [width] of `dtype`, f32 or f64.
struct BatchNormRstd {
  const void* var;
  void* rstd;
  int64_t width;
  double eps;
  DType dtype;
};
inline Kernel<BatchNormRstd> batch_norm_rstd{"batch_norm.rstd"};
Work work_of(const BatchNormRstd& args);

/// y[r,c] = f((x[r,c] - mean[c]) rstd[c] weight[c] + bias[c]), f = max(., 0) where `relu`, else none. All but x and y
/// in f32 (f64 for f64). y may be x.
struct BatchNormForward {
  const void *x, *mean, *rstd, *weight, *bias;
  void* y;
  int64_t rows, width;
  bool relu;
  DType dtype;
};
inline Kernel<BatchNormForward> batch_norm_forward{"batch_norm.forward"};
Work work_of(const BatchNormForward& args);

/// g = dy, or 0 where `y` is given (a ReLU followed) and y <= 0.
///   dbias[c] = sum_r g[r,c],  dweight[c] = sum_r g[r,c] xhat[r,c],  xhat = (x - mean) rstd
struct BatchNormSums {
  const void *dy, *x, *y, *mean, *rstd;
  void *dweight, *dbias;
  int64_t rows, width;
  DType dtype;
};
inline Kernel<BatchNormSums> batch_norm_sums{"batch_norm.sums"};
Work work_of(const BatchNormSums& args);

/// With g as above: dx = weight rstd (g - (dbias + xhat dweight) / rows), the statistics being functions of x; where
/// `fixed` they are not and dx = weight rstd g. dx may be dy.
struct BatchNormBackward {
  const void *dy, *x, *y, *mean, *rstd, *weight, *dweight, *dbias;
  void* dx;
  int64_t rows, width;
  bool fixed;
  DType dtype;
};
inline Kernel<BatchNormBackward> batch_norm_backward{"batch_norm.backward"};
Work work_of(const BatchNormBackward& args);

}  // namespace suanli::kernels
