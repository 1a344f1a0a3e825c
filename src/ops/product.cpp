#include "ops/product.h"

#include "ops/cast.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

kernels::Matmul arguments(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) {
  return {.a = a.data(),
          .b = b.data(),
          .bias = nullptr,
          .c = c.data(),
          .m = c.dim(0),
          .n = c.dim(1),
          .k = a.dim(transpose_a ? 0 : 1),
          .transpose_a = transpose_a,
          .transpose_b = transpose_b,
          .accumulate = false,
          .dtype = a.dtype(),
          .c_dtype = c.dtype(),
          .bias_dtype = c.dtype(),
          .b_forms = b.forms()};
}

}  // namespace

void product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias, const Tensor& c,
             const kernels::Epilogue& epilogue, bool accumulate) {
  kernels::Matmul args = arguments(a, transpose_a, b, transpose_b, c);
  if (bias.defined()) args.bias = bias.data(), args.bias_dtype = bias.dtype();
  args.accumulate = accumulate;
  args.epilogue = epilogue;
  kernels::matmul(args, stream_of(a));
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

LinearGradients linear_gradients(const Tensor& dy, const Tensor& x, WantedGradient weight, WantedGradient bias) {
  const bool at_once = dy.device().type == DeviceType::cuda && weight.dtype == bias.dtype;
  if (!(weight.wanted && bias.wanted && at_once)) {
    return {weight.wanted ? weight_gradient(dy, x, weight.dtype) : Tensor(),
            bias.wanted ? bias_gradient(dy, bias.dtype) : Tensor()};
  }
  LinearGradients out = {Tensor::empty({dy.dim(1), x.dim(1)}, weight.dtype, dy.device()),
                         Tensor::empty({dy.dim(1)}, bias.dtype, dy.device())};
  kernels::Matmul args = arguments(dy, true, x, false, out.weight);
  args.row_sums = out.bias.data();
  kernels::matmul(args, stream_of(dy));
  return out;
}

}  // namespace suanli::ops
