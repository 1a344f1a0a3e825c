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

}  // namespace suanli::ops
