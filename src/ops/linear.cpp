#include "ops/linear.h"

#include "autograd/tape.h"
#include "kernels/matmul.h"
#include "ops/cast.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

void product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias, Tensor& c) {
  const int64_t k = a.dim(transpose_a ? 0 : 1);
  kernels::matmul({.a = a.data(),
                   .b = b.data(),
                   .bias = bias.defined() ? bias.data() : nullptr,
                   .c = c.data(),
                   .m = c.dim(0),
                   .n = c.dim(1),
                   .k = k,
                   .transpose_a = transpose_a,
                   .transpose_b = transpose_b,
                   .accumulate = false,
                   .dtype = a.dtype(),
                   .c_dtype = c.dtype(),
                   .bias_dtype = bias.defined() ? bias.dtype() : c.dtype(),
                   .b_forms = b.forms()},
                  stream_of(a));
}

Tensor bias_gradient(const Tensor& dy, DType dtype) {
  Tensor sum = Tensor::empty({dy.dim(1)}, accumulation_dtype(dy.dtype()), dy.device());
  kernels::column_sum({dy.data(), sum.data(), dy.dim(0), dy.dim(1), dy.dtype()}, stream_of(dy));
  return cast(sum, dtype);
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_tensor("linear", "x", x, 2, kFloating);
  check_tensor("linear", "weight", weight, 2, {x.dtype(), accumulation_dtype(x.dtype())});
  check_shape("linear", "weight", weight, {weight.dim(0), x.dim(1)});
  check_device("linear", x, weight);
  if (bias.defined()) {
    check_tensor("linear", "bias", bias, 1, {x.dtype(), accumulation_dtype(x.dtype())});
    check_shape("linear", "bias", bias, {weight.dim(0)});
    check_device("linear", x, bias);
  }

  Tensor y = Tensor::empty({x.dim(0), weight.dim(0)}, x.dtype(), x.device());
  const Tensor w = cast(detach(weight), x.dtype());
  product(x, false, w, true, bias, y);

  const bool want_x = wants_gradient(x), want_weight = wants_gradient(weight);
  const bool want_bias = bias.defined() && wants_gradient(bias);
  const DType bias_dtype = bias.defined() ? bias.dtype() : x.dtype();
  record("linear", y, {x, weight, bias},
         [x = want_weight ? detach(x) : Tensor(), w = want_x ? w : Tensor(), want_x, want_weight, want_bias, bias_dtype,
          weight_dtype = weight.dtype()](const Tensor& dy) {
           Tensor dx, dweight, dbias;
           if (want_x) {
             dx = Tensor::empty({dy.dim(0), w.dim(1)}, dy.dtype(), dy.device());
             product(dy, false, w, false, {}, dx);
           }
           if (want_weight) {
             dweight = Tensor::empty({dy.dim(1), x.dim(1)}, weight_dtype, dy.device());
             product(dy, true, x, false, {}, dweight);
           }
           if (want_bias) dbias = bias_gradient(dy, bias_dtype);
           return std::vector<Tensor>{dx, dweight, dbias};
         });
  return y;
}

}  // namespace suanli::ops
