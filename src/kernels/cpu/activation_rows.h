/// Activations of rows in f32 that a product has just summed.
#pragma once

#include "kernels/activation.h"

namespace suanli::kernels {

/// x[r,c] becomes f(x[r,c]), and slope[r,c] (null: not wanted) f'(x[r,c]); rows lie x_stride and slope_stride apart.
struct ActivationRows {
  Activation kind;
  float* x;
  int64_t x_stride;
  float* slope;
  int64_t slope_stride, rows, columns;
};
void activate_rows(const ActivationRows& rows);

}  // namespace suanli::kernels
