#include "ops/rms_norm.h"

#include "autograd/tape.h"
#include "kernels/rms_norm.h"
#include "ops/cast.h"
#include "ops/check.h"

namespace suanli::ops {

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  check_tensor("rms_norm", "x", x, 2, kFloating);
  const DType statistics = accumulation_dtype(x.dtype());
  check_tensor("rms_norm", "weight", weight, 1, {x.dtype(), statistics});
  check_shape("rms_norm", "weight", weight, {x.dim(1)});
  check_device("rms_norm", x, weight);

  const bool want_x = wants_gradient(x), want_weight = wants_gradient(weight);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device()), rstd;
  if (want_x || want_weight) rstd = Tensor::empty({x.dim(0)}, statistics, x.device());
  kernels::rms_norm_forward({.x = x.data(),
                             .weight = weight.data(),
                             .y = y.data(),
                             .rstd = rstd.defined() ? rstd.data() : nullptr,
                             .rows = x.dim(0),
                             .width = x.dim(1),
                             .eps = eps,
                             .dtype = x.dtype(),
                             .weight_dtype = weight.dtype()},
                            stream_of(x));
  record("rms_norm", y, {x, weight},
         [x = detach(x), weight = detach(weight), rstd, want_x, want_weight, statistics](const Tensor& dy) {
           Tensor dx, dweight;
           if (want_x) dx = dy.unique() ? dy : Tensor::empty(x.shape(), x.dtype(), x.device());
           if (want_weight) dweight = Tensor::empty(weight.shape(), statistics, x.device());
           kernels::rms_norm_backward({.dy = dy.data(),
                                       .x = x.data(),
                                       .weight = weight.data(),
                                       .rstd = rstd.data(),
                                       .dx = want_x ? dx.data() : nullptr,
                                       .dweight = want_weight ? dweight.data() : nullptr,
                                       .rows = x.dim(0),
                                       .width = x.dim(1),
                                       .dtype = x.dtype(),
                                       .weight_dtype = weight.dtype()},
                                      stream_of(x));
           return std::vector<Tensor>{dx, want_weight ? cast(dweight, weight.dtype()) : Tensor()};
         });
  return y;
}

}  // namespace suanli::ops
