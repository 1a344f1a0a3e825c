#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// The same elements in the same order under another shape (torch.reshape); shares storage. Any floating dtype.
/// Gradient: x. Throws UserError when the counts differ.
Tensor reshape(const Tensor& x, const Shape& shape);

/// a and b side by side along the last dimension (torch.cat): a [..., C], b [..., D] of equal leading sizes, dtype and
/// device -> [..., C+D]. Any floating dtype. Gradients: a, b. Throws UserError when they do not fit.
Tensor cat(const Tensor& a, const Tensor& b);

/// Images from PyTorch's layout [B,C,H,W] to ours, [B,H,W,C], and back (torch.permute). Any floating dtype.
/// Gradient: x.
Tensor channels_last(const Tensor& x);
Tensor channels_first(const Tensor& x);

/// Channels become pixels, r = factor (torch.nn.functional.pixel_shuffle in its order of channels, channels last):
/// x [B,H,W,C r^2] -> [B, H r, W r, C], y[b, h r + i, w r + j, c] = x[b, h, w, c r^2 + i r + j]. Any floating dtype.
/// Gradient: x. Throws UserError for a factor below 1 or channels that are no multiple of its square.
Tensor pixel_shuffle(const Tensor& x, int64_t factor);

}  // namespace suanli::ops
