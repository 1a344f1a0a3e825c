#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// y = x in another floating dtype, rounded to nearest even; x itself where it has that dtype (torch.Tensor.to). Any
/// shape. Gradient: dy in x's dtype. Throws UserError when either dtype is not floating.
Tensor cast(const Tensor& x, DType dtype);

}  // namespace suanli::ops
