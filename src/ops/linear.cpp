#include "ops/linear.h"

#include "autograd/tape.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/product.h"

namespace suanli::ops {

void check_linear(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_tensor(op, "x", x, 2, kFloating);
  check_tensor(op, "weight", weight, 2, {x.dtype(), accumulation_dtype(x.dtype())});
  check_shape(op, "weight", weight, {weight.dim(0), x.dim(1)});
  check_device(op, x, weight);
  if (bias.defined()) {
    check_tensor(op, "bias", bias, 1, {x.dtype(), accumulation_dtype(x.dtype())});
    check_shape(op, "bias", bias, {weight.dim(0)});
    check_device(op, x, bias);
  }
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_linear("linear", x, weight, bias);
  Tensor y = Tensor::empty({x.dim(0), weight.dim(0)}, x.dtype(), x.device());
  const Tensor w = cast(detach(weight), x.dtype());
  product(x, false, w, true, bias, y);

  const bool want_x = wants_gradient(x), want_weight = wants_gradient(weight);
  const bool want_bias = bias.defined() && wants_gradient(bias);
  const DType bias_dtype = bias.defined() ? bias.dtype() : x.dtype();
  record("linear", y, {x, weight, bias},
         [x = want_weight ? detach(x) : Tensor(), w = want_x ? w : Tensor(), want_x, want_weight, want_bias, bias_dtype,
          weight_dtype = weight.dtype()](const Tensor& dy) {
           Tensor dx;
           if (want_x) {
             dx = Tensor::empty({dy.dim(0), w.dim(1)}, dy.dtype(), dy.device());
             product(dy, false, w, false, {}, dx);
           }
           const auto [dweight, dbias] = linear_gradients(dy, x, {want_weight, weight_dtype}, {want_bias, bias_dtype});
           return std::vector<Tensor>{dx, dweight, dbias};
         });
  return y;
}

}  // namespace suanli::ops
