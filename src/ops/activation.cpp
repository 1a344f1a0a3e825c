#include "ops/activation.h"

#include "autograd/tape.h"
#include "kernels/elementwise.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

Tensor activation(const char* op, kernels::Activation kind, const Tensor& x) {
  check_tensor(op, "x", x, x.shape().rank(), kFloating);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::activation_forward({x.data(), y.data(), x.elements(), kind, x.dtype()}, stream_of(x));
  record(op, y, {x}, [x = detach(x), kind](const Tensor& dy) {
    Tensor dx = dy.unique() ? dy : Tensor::empty(x.shape(), x.dtype(), x.device());
    kernels::activation_backward({dy.data(), x.data(), dx.data(), x.elements(), kind, x.dtype()}, stream_of(x));
    return std::vector<Tensor>{dx};
  });
  return y;
}

}  // namespace

Tensor gelu(const Tensor& x) { return activation("gelu", kernels::Activation::gelu, x); }
Tensor gelu_tanh(const Tensor& x) { return activation("gelu_tanh", kernels::Activation::gelu_tanh, x); }
Tensor relu(const Tensor& x) { return activation("relu", kernels::Activation::relu, x); }
Tensor tanh(const Tensor& x) { return activation("tanh", kernels::Activation::tanh, x); }
Tensor sigmoid(const Tensor& x) { return activation("sigmoid", kernels::Activation::sigmoid, x); }

}  // namespace suanli::ops
