#include "ops/arithmetic.h"

#include "autograd/tape.h"
#include "kernels/elementwise.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

void check_pair(const char* op, const Tensor& a, const Tensor& b) {
  check_tensor(op, "a", a, a.shape().rank(), kFloating);
  check_shape(op, "b", b, a.shape());
  check_dtype(op, "b", b, a.dtype());
  check_device(op, a, b);
}

Tensor binary(const Tensor& a, const Tensor& b, kernels::Binary kind) {
  Tensor y = Tensor::empty(a.shape(), a.dtype(), a.device());
  kernels::binary({a.data(), b.data(), y.data(), a.elements(), kind, a.dtype()}, stream_of(a));
  return y;
}

/// y[r,:] = x[r,:] factor[r]
Tensor scale_rows(const Tensor& x, const Tensor& factor) {
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::row_scale({x.data(), factor.data(), y.data(), x.dim(0), x.dim(1), x.dtype()}, stream_of(x));
  return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  check_pair("add", a, b);
  Tensor y = binary(a, b, kernels::Binary::add);
  record("add", y, {a, b}, [](const Tensor& dy) { return std::vector<Tensor>{dy, dy}; });
  return y;
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  check_pair("multiply", a, b);
  Tensor y = binary(a, b, kernels::Binary::multiply);
  const bool want_a = wants_gradient(a), want_b = wants_gradient(b);
  record("multiply", y, {a, b}, [a = detach(a), b = detach(b), want_a, want_b](const Tensor& dy) {
    return std::vector<Tensor>{want_a ? binary(dy, b, kernels::Binary::multiply) : Tensor(),
                               want_b ? binary(dy, a, kernels::Binary::multiply) : Tensor()};
  });
  return y;
}

Tensor scale(const Tensor& x, double factor) {
  check_tensor("scale", "x", x, x.shape().rank(), kFloating);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::scale({x.data(), nullptr, y.data(), x.elements(), factor, x.dtype()}, stream_of(x));
  record("scale", y, {x}, [factor](const Tensor& dy) { return std::vector<Tensor>{scale(dy, factor)}; });
  return y;
}

Tensor row_dot(const Tensor& a, const Tensor& b) {
  check_tensor("row_dot", "a", a, 2, kFloating);
  check_pair("row_dot", a, b);
  Tensor y = Tensor::empty({a.dim(0)}, a.dtype(), a.device());
  kernels::row_dot({a.data(), b.data(), y.data(), a.dim(0), a.dim(1), a.dtype()}, stream_of(a));
  const bool want_a = wants_gradient(a), want_b = wants_gradient(b);
  record("row_dot", y, {a, b}, [a = detach(a), b = detach(b), want_a, want_b](const Tensor& dy) {
    return std::vector<Tensor>{want_a ? scale_rows(b, dy) : Tensor(), want_b ? scale_rows(a, dy) : Tensor()};
  });
  return y;
}

}  // namespace suanli::ops
