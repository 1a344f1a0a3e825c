#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// y = a + b, element by element, equal shapes and dtypes (torch.add). Floating dtypes. Gradients: dy, dy.
/// Throws UserError when shapes, dtypes or devices differ.
Tensor add(const Tensor& a, const Tensor& b);

/// y = a b, element by element, equal shapes and dtypes (torch.mul). Gradients: dy b, dy a. Throws like add.
Tensor multiply(const Tensor& a, const Tensor& b);

/// y = factor x (torch.mul with a number). Any shape, floating dtypes. Gradient: factor dy.
Tensor scale(const Tensor& x, double factor);

/// y[r] = sum_c a[r,c] b[r,c] (torch.linalg.vecdot). a, b [R,C] of one floating dtype, y [R]; summed in f32 (f64).
/// Gradients: da[r,:] = dy[r] b[r,:], db[r,:] = dy[r] a[r,:]. Throws UserError when shapes, dtypes or devices differ.
Tensor row_dot(const Tensor& a, const Tensor& b);

}  // namespace suanli::ops
