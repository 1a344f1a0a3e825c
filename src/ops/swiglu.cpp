#include "ops/swiglu.h"

#include "autograd/tape.h"
#include "kernels/swiglu.h"
#include "ops/check.h"

namespace suanli::ops {

Tensor swiglu(const Tensor& x) {
  check_tensor("swiglu", "x", x, 2, kFloating);
  if (x.dim(1) % 2 != 0) throw UserError("swiglu", "expected x [T, 2 F], got " + x.shape().text());
  Tensor y = Tensor::empty({x.dim(0), x.dim(1) / 2}, x.dtype(), x.device());
  kernels::swiglu_forward({x.data(), y.data(), y.dim(0), y.dim(1), x.dtype()}, stream_of(x));
  record("swiglu", y, {x}, [x = detach(x)](const Tensor& dy) {
    Tensor dx = Tensor::empty(x.shape(), x.dtype(), x.device());
    kernels::swiglu_backward({dy.data(), x.data(), dx.data(), dy.dim(0), dy.dim(1), x.dtype()}, stream_of(x));
    return std::vector<Tensor>{dx};
  });
  return y;
}

}  // namespace suanli::ops
