#include "ops/layer_norm.h"

#include "autograd/tape.h"
#include "kernels/layer_norm.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/dropout.h"

namespace suanli::ops {

namespace {

Tensor normalise(const char* op, const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
                 double eps, const DropoutKey& key) {
  const DType statistics = accumulation_dtype(x.dtype());
  check_tensor(op, "x", x, 2, kFloating);
  const int64_t rows = x.dim(0), width = x.dim(1);
  check_tensor(op, "weight", weight, 1, {x.dtype(), statistics});
  check_shape(op, "weight", weight, {width});
  check_shape(op, "bias", bias, {width});
  check_dtype(op, "bias", bias, weight.dtype());
  check_device(op, x, weight);
  check_device(op, x, bias);
  check_dropout(op, key);
  if (residual.defined()) {
    check_shape(op, "residual", residual, x.shape());
    check_dtype(op, "residual", residual, x.dtype());
    check_device(op, x, residual);
  }

  const bool want_x = wants_gradient(x), want_residual = residual.defined() && wants_gradient(residual);
  const bool want_weights = wants_gradient(weight) || wants_gradient(bias);
  const bool keep = want_x || want_residual || want_weights;
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor mean = Tensor::empty({rows}, statistics, x.device()), rstd = Tensor::empty({rows}, statistics, x.device());
  Tensor sum = !residual.defined() ? detach(x) : keep ? Tensor::empty(x.shape(), x.dtype(), x.device()) : Tensor();
  kernels::layer_norm_forward({.x = x.data(),
                               .residual = residual.defined() ? residual.data() : nullptr,
                               .weight = weight.data(),
                               .bias = bias.data(),
                               .y = y.data(),
                               .sum = residual.defined() && keep ? sum.data() : nullptr,
                               .mean = mean.data(),
                               .rstd = rstd.data(),
                               .rows = rows,
                               .width = width,
                               .eps = eps,
                               .dropout = key,
                               .dtype = x.dtype(),
                               .weight_dtype = weight.dtype()},
                              stream_of(x));
  if (!keep) return y;

  record(op, y, {x, residual, weight, bias},
         [sum, mean, rstd, weight = detach(weight), key, want_x, want_residual, want_weights,
          fused = residual.defined(), statistics](const Tensor& dy) {
           const Shape shape = dy.shape();
           // dx is the gradient of the sum itself unless dropout stands between: then the two share one tensor.
           const bool same = fused && key.probability == 0;
           Tensor dresidual =
               fused && (want_residual || same) ? Tensor::empty(shape, dy.dtype(), dy.device()) : Tensor();
           Tensor dx = same ? dresidual : want_x ? Tensor::empty(shape, dy.dtype(), dy.device()) : Tensor();
           if (!fused && !dx.defined()) dx = Tensor::empty(shape, dy.dtype(), dy.device());
           Tensor dweight, dbias;
           if (want_weights) {
             dweight = Tensor::empty({shape[1]}, statistics, dy.device());
             dbias = Tensor::empty({shape[1]}, statistics, dy.device());
           }
           const auto data = [](const Tensor& t) { return t.defined() ? t.data() : nullptr; };
           kernels::layer_norm_backward({.dy = dy.data(),
                                         .sum = sum.data(),
                                         .weight = weight.data(),
                                         .mean = mean.data(),
                                         .rstd = rstd.data(),
                                         .dx = data(dx),
                                         .dresidual = data(dresidual),
                                         .dweight = data(dweight),
                                         .dbias = data(dbias),
                                         .rows = shape[0],
                                         .width = shape[1],
                                         .dropout = key,
                                         .dtype = dy.dtype(),
                                         .weight_dtype = weight.dtype()},
                                        stream_of(dy));
           if (want_weights && weight.dtype() != statistics) {
             dweight = cast(dweight, weight.dtype());
             dbias = cast(dbias, weight.dtype());
           }
           return std::vector<Tensor>{dx, dresidual, dweight, dbias};
         });
  return y;
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return normalise("layer_norm", x, {}, weight, bias, eps, {});
}

Tensor dropout_add_layer_norm(const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
                              double eps, const DropoutKey& key) {
  check_tensor("dropout_add_layer_norm", "residual", residual, 2, kFloating);
  return normalise("dropout_add_layer_norm", x, residual, weight, bias, eps, key);
}

}  // namespace suanli::ops
