#include "ops/cast.h"

#include "autograd/tape.h"
#include "kernels/elementwise.h"
#include "ops/check.h"

namespace suanli::ops {

Tensor cast(const Tensor& x, DType dtype) {
  check_tensor("cast", "x", x, x.shape().rank(), kFloating);
  if (!is_floating(dtype)) throw UserError("cast", std::string("expected a floating dtype, got ") + name_of(dtype));
  if (x.dtype() == dtype) return x;
  Tensor y = Tensor::empty(x.shape(), dtype, x.device());
  kernels::cast({x.data(), y.data(), x.elements(), x.dtype(), dtype}, stream_of(x));
  record("cast", y, {x}, [from = x.dtype()](const Tensor& dy) { return std::vector<Tensor>{cast(dy, from)}; });
  return y;
}

}  // namespace suanli::ops
