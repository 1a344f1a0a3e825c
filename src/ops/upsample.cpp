#include "ops/upsample.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "ops/check.h"

namespace suanli::ops {

Tensor upsample(const Tensor& x, const Pair& size, Interpolation kind, bool align_corners) {
  check_tensor("upsample", "x", x, 4, kFloating);
  if (x.dim(1) < 1 || x.dim(2) < 1 || size[0] < 1 || size[1] < 1) {
    throw UserError("upsample",
                    concat("expected sizes of at least 1, got ", x.shape().text(), " to ", size[0], " x ", size[1]));
  }
  if (kind == Interpolation::nearest && align_corners) {
    throw UserError("upsample", "expected align_corners with bilinear alone, got it with nearest");
  }
  const kernels::ResizeAxis vertical = {x.dim(1), size[0], kind, align_corners};
  const kernels::ResizeAxis horizontal = {x.dim(2), size[1], kind, align_corners};
  const int64_t images = x.dim(0), channels = x.dim(3);
  Tensor y = Tensor::empty({images, size[0], size[1], channels}, x.dtype(), x.device());
  kernels::upsample_forward({x.data(), y.data(), images, channels, vertical, horizontal, x.dtype()}, stream_of(x));
  record("upsample", y, {x}, [=, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernels::upsample_backward({dy.data(), dx.data(), images, channels, vertical, horizontal, dy.dtype()},
                               stream_of(dy));
    return std::vector<Tensor>{dx};
  });
  return y;
}

}  // namespace suanli::ops
