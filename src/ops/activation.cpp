#include "ops/activation.h"

#include "autograd/tape.h"
#include "ops/check.h"

namespace suanli::ops {

Tensor activate(Activation f, const Tensor& x) {
  static constexpr const char* kNames[] = {"gelu", "gelu_tanh", "relu", "tanh", "sigmoid", "relu6"};
  const char* const op = kNames[static_cast<size_t>(f)];
  check_tensor(op, "x", x, x.shape().rank(), kFloating);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::activation_forward({x.data(), y.data(), x.elements(), f, x.dtype()}, stream_of(x));
  record(op, y, {x}, [x = detach(x), f](const Tensor& dy) {
    Tensor dx = dy.unique() ? dy : Tensor::empty(x.shape(), x.dtype(), x.device());
    kernels::activation_backward({dy.data(), x.data(), dx.data(), x.elements(), f, x.dtype()}, stream_of(x));
    return std::vector<Tensor>{dx};
  });
  return y;
}

Tensor gelu(const Tensor& x) { return activate(Activation::gelu, x); }
Tensor gelu_tanh(const Tensor& x) { return activate(Activation::gelu_tanh, x); }
Tensor relu(const Tensor& x) { return activate(Activation::relu, x); }
Tensor relu6(const Tensor& x) { return activate(Activation::relu6, x); }
Tensor tanh(const Tensor& x) { return activate(Activation::tanh, x); }
Tensor sigmoid(const Tensor& x) { return activate(Activation::sigmoid, x); }

}  // namespace suanli::ops
