#include "ops/initialize.h"

#include "autograd/tape.h"
#include "kernels/elementwise.h"
#include "ops/check.h"

namespace suanli {

namespace {
Tensor sum_of_gradients(Tensor a, const Tensor& b) {
  Tensor out = a.unique() ? a : Tensor::empty(a.shape(), a.dtype(), a.device());
  kernels::binary({a.data(), b.data(), out.data(), a.elements(), kernels::Binary::add, a.dtype()}, ops::stream_of(a));
  return out;
}
}  // namespace

void initialize() {
  kernels::register_all();
  set_gradient_sum(sum_of_gradients);
}

}  // namespace suanli
