/// The matrix product on tensors, for the ops whose gradients are products; internal to ops/.
#pragma once

#include "kernels/matmul.h"
#include "tensor/tensor.h"

namespace suanli::ops {

/// c = epilogue(op(a) op(b) + bias), with `accumulate` added to what c holds; see kernels::Matmul. bias undefined:
/// none. Shapes and dtypes must fit.
void product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias, const Tensor& c,
             const kernels::Epilogue& epilogue = {}, bool accumulate = false);

/// The gradient of a bias [O] that was added to every row of y: the sum of the rows of dy [T,O], in `dtype`.
Tensor bias_gradient(const Tensor& dy, DType dtype);

/// The gradient dy^T x [O,I] of a weight, in `dtype`, from dy [T,O] and x [T,I].
Tensor weight_gradient(const Tensor& dy, const Tensor& x, DType dtype);

/// A gradient that is wanted, and its dtype.
struct WantedGradient {
  bool wanted;
  DType dtype;
};
/// Both gradients of y = x W^T + b; what is not wanted stays undefined.
struct LinearGradients {
  Tensor weight, bias;
};
LinearGradients linear_gradients(const Tensor& dy, const Tensor& x, WantedGradient weight, WantedGradient bias);

}  // namespace suanli::ops
