#pragma once

#include <array>

#include "tensor/tensor.h"

namespace suanli::ops {

/// Two numbers, of height and width.
using Pair = std::array<int64_t, 2>;

struct Conv2dOptions {
  Pair stride = {1, 1}, padding = {0, 0}, dilation = {1, 1};
  int64_t groups = 1;
  Pair end_padding = {0, 0};  ///< rows and columns of zeros below and to the right, beyond those of `padding`
};

/// The paddings that make OH = ceil(H / stride) and OW = ceil(W / stride), the odd row and column at the end
/// (TensorFlow's "SAME", ONNX's SAME_UPPER), for images x [B,H,W,C] under a kernel of `kernel`.
Conv2dOptions same_padding(const Tensor& x, const Pair& kernel, Conv2dOptions options);

/// y[b,h,w,o] = bias[o] + sum over i,k,l of weight[o,k,l,i] x[b, h stride - padding + k dilation, ..., i], x being 0
/// outside the image (torch.nn.functional.conv2d, of images that lie channels last). Output o sees the I/groups inputs
/// of its group; groups = I = O is a depthwise convolution.
/// x [B,H,W,I] f32, bf16, f16 or f64; weight [O,K,L,I/groups] (PyTorch's [O,I/groups,K,L] with the
/// channels last) and bias [O] (undefined: none) of x's dtype, or f32
/// beside a 16-bit x; y [B,OH,OW,O] of x's dtype, OH = floor((H + 2 padding + end_padding - dilation (K - 1) - 1) /
/// stride)
/// + 1.
/// Sums in f32 (f64). Gradients: x, weight, bias, each in the dtype of its tensor. Deterministic.
/// Throws UserError when sizes, dtypes or devices do not fit, or the window is larger than the padded image.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options = {});

struct ConvTranspose2dOptions {
  Pair stride = {1, 1}, padding = {0, 0}, output_padding = {0, 0}, dilation = {1, 1};
};

/// The gradient of conv2d with respect to its input, as a layer (torch.nn.functional.conv_transpose2d): each pixel of x
/// adds weight[i,k,l,o] x[b,h,w,i] to y[b, h stride - padding + k dilation, ..., o].
/// x [B,H,W,I], weight [I,K,L,O] (PyTorch's [I,O,K,L]), bias [O] or undefined, dtypes as conv2d; y [B,OH,OW,O],
/// OH = (H - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1. Gradients: x, weight, bias. Deterministic.
/// Throws UserError as conv2d does, and when output_padding is not below stride or dilation.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& options = {});

}  // namespace suanli::ops
