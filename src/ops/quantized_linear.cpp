#include "ops/quantized_linear.h"

#include "autograd/tape.h"
#include "kernels/quantized_matmul.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

struct QuantizedRows {
  Tensor values, scale;
};

void check_no_gradient(const Tensor& input) {
  if (!wants_gradient(input)) return;
  throw UserError("quantized_linear",
                  "expected inputs that want no gradient, which 8 bits do not have; train in f32 or bf16");
}

QuantizedRows quantized_rows(const Tensor& x) {
  QuantizedRows rows = {Tensor::empty(x.shape(), DType::i8, x.device()),
                        Tensor::empty({x.dim(0)}, DType::f32, x.device())};
  kernels::quantize_rows({x.data(), static_cast<int8_t*>(rows.values.data()), static_cast<float*>(rows.scale.data()),
                          x.dim(0), x.dim(1), x.dtype()},
                         stream_of(x));
  return rows;
}

}  // namespace

QuantizedWeight quantize_weight(const Tensor& weight) {
  check_tensor("quantized_linear", "weight", weight, 2, kFloating);
  check_no_gradient(weight);
  const int64_t out = weight.dim(0), in = weight.dim(1);
  if (in > kernels::kMostQuantizedDepth) {
    throw UserError("quantized_linear", "expected a weight of at most 2^17 columns, got " + weight.shape().text());
  }
  const QuantizedRows rows = quantized_rows(weight);
  const Tensor packed = Tensor::empty({kernels::QuantizedLayout{out, in}.bytes()}, DType::i8, weight.device());
  kernels::pack_quantized(
      {static_cast<const int8_t*>(rows.values.data()), static_cast<int8_t*>(packed.data()), out, in},
      stream_of(weight));
  return {packed, rows.scale, out, in};
}

Tensor quantized_linear(const Tensor& x, const QuantizedWeight& weight, const Tensor& bias,
                        std::optional<kernels::Activation> activation) {
  check_tensor("quantized_linear", "x", x, 2, kFloating);
  if (!weight.defined()) throw UserError("quantized_linear", "expected a weight, got an undefined one");
  check_shape("quantized_linear", "x", x, {x.dim(0), weight.in});
  check_device("quantized_linear", x, weight.values);
  if (bias.defined()) {
    check_tensor("quantized_linear", "bias", bias, 1, {x.dtype(), accumulation_dtype(x.dtype())});
    check_shape("quantized_linear", "bias", bias, {weight.out});
    check_device("quantized_linear", x, bias);
    check_no_gradient(bias);
  }
  check_no_gradient(x);
  const QuantizedRows rows = quantized_rows(x);
  Tensor y = Tensor::empty({x.dim(0), weight.out}, x.dtype(), x.device());
  kernels::quantized_matmul({.a = static_cast<const int8_t*>(rows.values.data()),
                             .a_scale = static_cast<const float*>(rows.scale.data()),
                             .b = static_cast<const int8_t*>(weight.values.data()),
                             .b_scale = static_cast<const float*>(weight.scale.data()),
                             .bias = bias.defined() ? bias.data() : nullptr,
                             .c = y.data(),
                             .m = x.dim(0),
                             .n = weight.out,
                             .k = weight.in,
                             .activation = activation,
                             .dtype = x.dtype(),
                             .bias_dtype = bias.defined() ? bias.dtype() : x.dtype()},
                            stream_of(x));
  return y;
}

}  // namespace suanli::ops
