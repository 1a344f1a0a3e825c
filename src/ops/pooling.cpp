#include "ops/pooling.h"

#include "autograd/tape.h"
#include "kernels/pooling.h"
#include "ops/check.h"

namespace suanli::ops {

Tensor segment_mean(const Tensor& x, const Tensor& segments) {
  check_tensor("segment_mean", "x", x, 2, kFloating);
  check_offsets("segment_mean", segments, x.dim(0));
  const Tensor offsets = beside(x, segments);
  const int64_t sequences = offsets.dim(0) - 1, width = x.dim(1);
  const auto* bounds = static_cast<const int32_t*>(offsets.data());
  Tensor y = Tensor::empty({sequences, width}, x.dtype(), x.device());
  kernels::segment_mean_forward({x.data(), bounds, y.data(), sequences, width, x.dtype(), x.dim(0)}, stream_of(x));
  record("segment_mean", y, {x}, [offsets, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernels::segment_mean_backward(
        {dy.data(), static_cast<const int32_t*>(offsets.data()), dx.data(), dy.dim(0), dy.dim(1), dy.dtype(), shape[0]},
        stream_of(dy));
    return std::vector<Tensor>{dx};
  });
  return y;
}

Tensor normalize(const Tensor& x, double eps) {
  check_tensor("normalize", "x", x, 2, kFloating);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  Tensor norm = Tensor::empty({x.dim(0)}, accumulation_dtype(x.dtype()), x.device());
  kernels::normalize_forward({x.data(), y.data(), norm.data(), x.dim(0), x.dim(1), eps, x.dtype()}, stream_of(x));
  record("normalize", y, {x}, [y = detach(y), norm, eps](const Tensor& dy) {
    Tensor dx = Tensor::empty(y.shape(), y.dtype(), y.device());
    kernels::normalize_backward({dy.data(), y.data(), norm.data(), dx.data(), y.dim(0), y.dim(1), eps, y.dtype()},
                                stream_of(dy));
    return std::vector<Tensor>{dx};
  });
  return y;
}

}  // namespace suanli::ops
