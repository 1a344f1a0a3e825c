/// Layer normalisation, alone or fused with the dropout and residual addition before it.
#pragma once

#include "kernels/dropout_key.h"
#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// sum = residual + dropout(x)   (residual null: sum = x, `sum` is not written)
/// y = (sum - mean) * rstd * weight + bias,  rstd = 1 / sqrt(var + eps),  var = mean of squared deviations, per row.
/// x, residual, sum, y [rows, width] of `dtype`; weight, bias [width] of `weight_dtype` (f32 or dtype);
/// mean, rstd [rows] f32 (f64 for f64). `sum` null: not kept. The row is normalised before it is rounded to `dtype`.
/// Dropout counts elements row * width + column.
struct LayerNormForward {
  const void *x, *residual, *weight, *bias;
  void *y, *sum, *mean, *rstd;
  int64_t rows, width;
  double eps;
  DropoutKey dropout;
  DType dtype, weight_dtype;
};
inline Kernel<LayerNormForward> layer_norm_forward{"layer_norm.forward"};
Work work_of(const LayerNormForward& args);

/// With n = (sum - mean) * rstd and g = dy * weight:
///   dsum = rstd * (g - mean_row(g) - n * mean_row(g * n));  dweight = sum_rows(dy * n);  dbias = sum_rows(dy)
///   dx = dropout factor * dsum; dresidual = dsum.
/// dresidual null: dsum goes to dx alone (no residual). dx may be null when only dresidual is wanted, and dx ==
/// dresidual is allowed when probability is 0. dweight, dbias f32 (f64 for f64), overwritten; both null: not wanted.
/// Sums over rows are taken in an order that depends on the shape alone.
struct LayerNormBackward {
  const void *dy, *sum, *weight, *mean, *rstd;
  void *dx, *dresidual, *dweight, *dbias;
  int64_t rows, width;
  DropoutKey dropout;
  DType dtype, weight_dtype;
};
inline Kernel<LayerNormBackward> layer_norm_backward{"layer_norm.backward"};
Work work_of(const LayerNormBackward& args);

}  // namespace suanli::kernels
