#include "ops/batch_norm.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "kernels/batch_norm.h"
#include "ops/cast.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

Tensor normalise(const char* op, const Tensor& x, const RunningStatistics& running, const Tensor& weight,
                 const Tensor& bias, const BatchNormOptions& options, bool relu) {
  check_tensor(op, "x", x, x.defined() ? x.shape().rank() : 2, kFloating);
  if (x.shape().rank() == 0) throw UserError(op, "expected x [..., C], got a scalar");
  const DType statistics = accumulation_dtype(x.dtype());
  const int64_t width = x.dim(-1), rows = width == 0 ? 0 : x.elements() / width;
  check_tensor(op, "weight", weight, 1, {x.dtype(), statistics});
  check_shape(op, "weight", weight, {width});
  check_tensor(op, "bias", bias, 1, {weight.dtype()});
  check_shape(op, "bias", bias, {width});
  check_device(op, x, weight);
  check_device(op, x, bias);
  for (const Tensor& average : {running.mean, running.var}) {
    check_tensor(op, "running statistics", average, 1, {statistics});
    check_shape(op, "running statistics", average, {width});
    check_device(op, x, average);
  }
  if (options.training && rows < 2) {
    throw UserError(op, concat("expected at least two values of each channel to train on, got x ", x.shape().text()));
  }

  const Tensor factor = cast(detach(weight), statistics), shift = cast(detach(bias), statistics);
  Tensor mean = options.training ? Tensor::empty({width}, statistics, x.device()) : running.mean;
  Tensor rstd = Tensor::empty({width}, statistics, x.device());
  if (options.training) {
    kernels::batch_norm_statistics({x.data(), mean.data(), rstd.data(), running.mean.data(), running.var.data(), rows,
                                    width, options.eps, options.momentum, x.dtype()},
                                   stream_of(x));
  } else {
    kernels::batch_norm_rstd({running.var.data(), rstd.data(), width, options.eps, statistics}, stream_of(x));
  }
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::batch_norm_forward(
      {x.data(), mean.data(), rstd.data(), factor.data(), shift.data(), y.data(), rows, width, relu, x.dtype()},
      stream_of(x));

  const bool want_x = wants_gradient(x), fixed = !options.training;
  record(op, y, {x, weight, bias},
         [x = detach(x), y = relu ? detach(y) : Tensor(), mean, rstd, factor, rows, width, fixed, want_x,
          weight_dtype = weight.dtype(), statistics](const Tensor& dy) {
           const void* cut = y.defined() ? y.data() : nullptr;
           Tensor dweight = Tensor::empty({width}, statistics, dy.device());
           Tensor dbias = Tensor::empty({width}, statistics, dy.device()), dx;
           kernels::batch_norm_sums({dy.data(), x.data(), cut, mean.data(), rstd.data(), dweight.data(), dbias.data(),
                                     rows, width, dy.dtype()},
                                    stream_of(dy));
           if (want_x) {
             dx = dy.unique() ? dy : Tensor::empty(x.shape(), dy.dtype(), dy.device());
             kernels::batch_norm_backward({dy.data(), x.data(), cut, mean.data(), rstd.data(), factor.data(),
                                           dweight.data(), dbias.data(), dx.data(), rows, width, fixed, dy.dtype()},
                                          stream_of(dy));
           }
           return std::vector<Tensor>{dx, cast(dweight, weight_dtype), cast(dbias, weight_dtype)};
         });
  return y;
}

}  // namespace

Tensor batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                  const BatchNormOptions& options) {
  return normalise("batch_norm", x, running, weight, bias, options, false);
}

Tensor batch_norm_relu(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                       const BatchNormOptions& options) {
  return normalise("batch_norm_relu", x, running, weight, bias, options, true);
}

}  // namespace suanli::ops
