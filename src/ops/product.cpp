#include "ops/product.h"

#include "ops/cast.h"
#include "ops/check.h"

namespace suanli::ops {

void product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias, const Tensor& c,
             const kernels::Epilogue& epilogue, bool accumulate) {
  kernels::matmul({.a = a.data(),
                   .b = b.data(),
                   .bias = bias.defined() ? bias.data() : nullptr,
                   .c = c.data(),
                   .m = c.dim(0),
                   .n = c.dim(1),
                   .k = a.dim(transpose_a ? 0 : 1),
                   .transpose_a = transpose_a,
                   .transpose_b = transpose_b,
                   .accumulate = accumulate,
                   .dtype = a.dtype(),
                   .c_dtype = c.dtype(),
                   .bias_dtype = bias.defined() ? bias.dtype() : c.dtype(),
                   .b_forms = b.forms(),
                   .epilogue = epilogue},
                  stream_of(a));
}

Tensor bias_gradient(const Tensor& dy, DType dtype) {
  Tensor sum = Tensor::empty({dy.dim(1)}, accumulation_dtype(dy.dtype()), dy.device());
  kernels::column_sum({dy.data(), sum.data(), dy.dim(0), dy.dim(1), dy.dtype()}, stream_of(dy));
  return cast(sum, dtype);
}

Tensor weight_gradient(const Tensor& dy, const Tensor& x, DType dtype) {
  Tensor dweight = Tensor::empty({dy.dim(1), x.dim(1)}, dtype, dy.device());
  product(dy, true, x, false, {}, dweight);
  return dweight;
}

}  // namespace suanli::ops
