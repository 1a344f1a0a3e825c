#pragma once

#include "kernels/dropout_key.h"
#include "tensor/tensor.h"

namespace suanli::ops {

using kernels::DropoutKey;

/// y[i] = 0 with probability p, else x[i] / (1 - p) (Srivastava et al. 2014; torch.nn.functional.dropout). The mask is
/// a function of (key, i) alone (kernels/dropout_key.h), so backward makes it again. Any shape, floating dtypes. p = 0
/// returns x. Gradient: x. Throws UserError unless 0 <= p < 1.
Tensor dropout(const Tensor& x, const DropoutKey& key);

/// Throws UserError unless 0 <= p < 1.
void check_dropout(const char* op, const DropoutKey& key);

}  // namespace suanli::ops
