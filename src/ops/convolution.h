/// The three products of a convolution over images that lie channels last, by the library of a device or by way of rows
/// of pixels; internal to ops/.
#pragma once

#include "kernels/windows.h"
#include "tensor/tensor.h"

namespace suanli::ops {

/// A convolution with its weights as matrices: of group g, rows g O/groups .. of matrix [O, taps * I/groups].
struct Convolution {
  kernels::Windows windows;  ///< channels: I/groups
  int64_t inputs, outputs;   ///< I, O
  int64_t groups() const { return inputs / windows.channels; }
  bool depthwise() const { return windows.channels == 1 && inputs > 1 && inputs == outputs; }
  int64_t columns() const { return windows.taps() * windows.channels; }
};

/// y [positions, O] = rows(x) weight^T + bias; x [pixels, I].
Tensor convolve(const Convolution& c, const Tensor& x, const Tensor& weight, const Tensor& bias);
/// dx [pixels, I] = bias (f32, f64; undefined: 0) + the pixels of dy weight; dy [positions, O].
Tensor convolve_transposed(const Convolution& c, const Tensor& dy, const Tensor& weight, const Tensor& bias = {});
/// dweight [O, taps * I/groups] = dy^T rows(x), in f32 (f64).
Tensor convolution_weight_gradient(const Convolution& c, const Tensor& dy, const Tensor& x);

}  // namespace suanli::ops
