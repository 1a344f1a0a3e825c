#pragma once

#include "kernels/activation.h"
#include "tensor/tensor.h"

namespace suanli::ops {

using kernels::Activation;

/// The function below that `f` names.
Tensor activate(Activation f, const Tensor& x);

/// y = x/2 (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel 2016; torch.nn.functional.gelu). Any shape, floating dtypes,
/// computed in f32 (f64). Gradient: x. Throws UserError for other dtypes.
Tensor gelu(const Tensor& x);
/// y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (gelu with approximate="tanh"). Like gelu.
Tensor gelu_tanh(const Tensor& x);
/// y = max(x, 0). Like gelu; the gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// y = min(max(x, 0), 6) (Howard et al. 2017; torch.nn.functional.relu6). Like gelu; the gradient at 0 and 6 is 0.
Tensor relu6(const Tensor& x);
/// y = tanh(x). Like gelu.
Tensor tanh(const Tensor& x);
/// y = 1 / (1 + exp(-x)). Like gelu.
Tensor sigmoid(const Tensor& x);

}  // namespace suanli::ops
