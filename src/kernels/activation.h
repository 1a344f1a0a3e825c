/// Functions applied element by element between layers.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

enum class Activation : uint8_t { gelu, gelu_tanh, relu, tanh, sigmoid, relu6 };

/// y = f(x), element by element; computed in f32 (f64 for f64). gelu = x/2 (1 + erf(x / sqrt 2)); gelu_tanh =
/// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016); relu6 =
/// min(max(x, 0), 6) (Howard et al. 2017). y may be x.
struct ActivationForward {
  const void* x;
  void* y;
  int64_t count;
  Activation kind;
  DType dtype;
};
inline Kernel<ActivationForward> activation_forward{"activation.forward"};
Work work_of(const ActivationForward& args);

/// dx = dy * f'(x). dx may be dy.
struct ActivationBackward {
  const void *dy, *x;
  void* dx;
  int64_t count;
  Activation kind;
  DType dtype;
};
inline Kernel<ActivationBackward> activation_backward{"activation.backward"};
Work work_of(const ActivationBackward& args);

}  // namespace suanli::kernels
