/// Normalisation by the root of the mean square.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y = x * rstd * weight,  rstd = 1 / sqrt(mean of x^2 + eps), per row. x, y [rows, width] of `dtype`; weight [width]
/// of `weight_dtype` (f32 or dtype); rstd [rows] f32 (f64 for f64), null: not kept. y may be x.
struct RmsNormForward {
  const void *x, *weight;
  void *y, *rstd;
  int64_t rows, width;
  double eps;
  DType dtype, weight_dtype;
};
inline Kernel<RmsNormForward> rms_norm_forward{"rms_norm.forward"};
Work work_of(const RmsNormForward& args);

/// With n = x * rstd and g = dy * weight:  dx = rstd * (g - n * mean_row(g * n));  dweight = sum_rows(dy * n).
/// dweight f32 (f64 for f64), overwritten; null: not wanted. dx may be null where dweight alone is wanted, and may be
/// dy. Sums over rows are taken in an order that depends on the shape alone.
struct RmsNormBackward {
  const void *dy, *x, *weight, *rstd;
  void *dx, *dweight;
  int64_t rows, width;
  DType dtype, weight_dtype;
};
inline Kernel<RmsNormBackward> rms_norm_backward{"rms_norm.backward"};
Work work_of(const RmsNormBackward& args);

}  // namespace suanli::kernels
