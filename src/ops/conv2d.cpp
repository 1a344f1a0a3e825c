#include "ops/conv2d.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/concat.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/convolution.h"
#include "ops/product.h"
#include "ops/windows.h"

namespace suanli::ops {

namespace {

void check_operands(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, int output_dimension) {
  check_tensor(op, "x", x, 4, kFloating);
  check_tensor(op, "weight", weight, 4, {x.dtype(), accumulation_dtype(x.dtype())});
  check_device(op, x, weight);
  if (!bias.defined()) return;
  check_tensor(op, "bias", bias, 1, {x.dtype(), accumulation_dtype(x.dtype())});
  check_shape(op, "bias", bias, {weight.dim(output_dimension)});
  check_device(op, x, bias);
}

/// weight [O,K,L,I] as the matrix [O, K*L*I] of `dtype`.
Tensor matrix_of(const Tensor& weight, DType dtype) {
  return cast(detach(weight), dtype).reshape({weight.dim(0), weight.elements() / std::max<int64_t>(weight.dim(0), 1)});
}

/// x [B,H,W,C] as [B*H*W, C].
Tensor flat(const Tensor& x) { return detach(x).reshape({x.dim(0) * x.dim(1) * x.dim(2), x.dim(3)}); }

Shape image_shape(const kernels::Windows& w, int64_t channels) {
  return {w.images, w.vertical.out, w.horizontal.out, channels};
}

}  // namespace

Conv2dOptions same_padding(const Tensor& x, const Pair& kernel, Conv2dOptions options) {
  for (size_t i = 0; i < 2; ++i) {
    const int64_t in = x.dim(static_cast<int>(i) + 1), stride = options.stride[i];
    const int64_t last = (in + stride - 1) / stride * stride - stride;  // where the last window begins
    const int64_t missing = std::max<int64_t>(0, last + options.dilation[i] * (kernel[i] - 1) + 1 - in);
    options.padding[i] = missing / 2;
    options.end_padding[i] = missing % 2;
  }
  return options;
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  check_operands("conv2d", x, weight, bias, 0);
  const int64_t inputs = x.dim(3), outputs = weight.dim(0), groups = options.groups;
  if (groups < 1 || inputs % groups != 0 || outputs % groups != 0 || weight.dim(3) * groups != inputs) {
    throw UserError("conv2d", concat("expected weight [O, K, L, I/groups] with groups that divide I and O, got ",
                                     weight.shape().text(), " for I = ", inputs, " and ", groups, " groups"));
  }
  const WindowOptions window = {.kernel = {weight.dim(1), weight.dim(2)},
                                .stride = options.stride,
                                .padding = options.padding,
                                .dilation = options.dilation,
                                .end_padding = options.end_padding};
  const Convolution c = {windows_over("conv2d", x.shape(), weight.dim(3), window), inputs, outputs};

  const Tensor matrix = matrix_of(weight, x.dtype());
  Tensor y = convolve(c, flat(x), matrix, bias).reshape(image_shape(c.windows, outputs));

  const bool want_x = wants_gradient(x), want_weight = wants_gradient(weight);
  const bool want_bias = bias.defined() && wants_gradient(bias);
  record("conv2d", y, {x, weight, bias},
         [c, x = want_weight ? detach(x) : Tensor(), matrix = want_x ? matrix : Tensor(), want_x, want_weight,
          want_bias, x_shape = x.shape(), weight_shape = weight.shape(), weight_dtype = weight.dtype(),
          bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](const Tensor& dy) {
           const Tensor rows = flat(dy);
           Tensor dx, dweight, dbias;
           if (want_x) dx = convolve_transposed(c, rows, matrix).reshape(x_shape);
           if (want_weight) {
             dweight = cast(convolution_weight_gradient(c, rows, flat(x)), weight_dtype).reshape(weight_shape);
           }
           if (want_bias) dbias = bias_gradient(rows, bias_dtype);
           return std::vector<Tensor>{dx, dweight, dbias};
         });
  return y;
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& options) {
  const char* const op = "conv_transpose2d";
  check_operands(op, x, weight, bias, 3);
  const int64_t inputs = x.dim(3), outputs = weight.dim(3);
  check_shape(op, "weight", weight, {inputs, weight.dim(1), weight.dim(2), outputs});
  // The convolution whose gradient this is goes from y to x.
  const WindowOptions window = {{weight.dim(1), weight.dim(2)}, options.stride, options.padding, options.dilation};
  Pair sizes = {};
  for (size_t i = 0; i < 2; ++i) {
    const int64_t extra = options.output_padding[i];
    if (extra < 0 || extra >= std::max(window.stride[i], window.dilation[i])) {
      throw UserError(op, concat("expected output_padding of at least 0 and below stride or dilation, got ", extra));
    }
    sizes[i] = (x.dim(static_cast<int>(i) + 1) - 1) * window.stride[i] - 2 * window.padding[i] +
               window.dilation[i] * (window.kernel[i] - 1) + extra + 1;
    if (sizes[i] < 1) throw UserError(op, concat("expected a result of at least one pixel, got a size of ", sizes[i]));
  }
  const Shape y_shape = {x.dim(0), sizes[0], sizes[1], outputs};
  const Convolution c = {windows_over(op, y_shape, outputs, window), outputs, inputs};

  const Tensor matrix = matrix_of(weight, x.dtype());  // [I, taps * O]
  const Tensor wide = bias.defined() ? cast(detach(bias), accumulation_dtype(x.dtype())) : bias;
  Tensor y = convolve_transposed(c, flat(x), matrix, wide).reshape(y_shape);

  const bool want_x = wants_gradient(x), want_weight = wants_gradient(weight);
  const bool want_bias = bias.defined() && wants_gradient(bias);
  record(op, y, {x, weight, bias},
         [c, x = want_weight ? detach(x) : Tensor(), matrix = want_x ? matrix : Tensor(), want_x, want_weight,
          want_bias, x_shape = x.shape(), weight_shape = weight.shape(), weight_dtype = weight.dtype(),
          bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](const Tensor& dy) {
           const Tensor pixels = flat(dy);
           Tensor dx, dweight, dbias;
           if (want_x) dx = convolve(c, pixels, matrix, {}).reshape(x_shape);
           if (want_weight) {
             dweight = cast(convolution_weight_gradient(c, flat(x), pixels), weight_dtype).reshape(weight_shape);
           }
           if (want_bias) dbias = bias_gradient(pixels, bias_dtype);
           return std::vector<Tensor>{dx, dweight, dbias};
         });
  return y;
}

}  // namespace suanli::ops
