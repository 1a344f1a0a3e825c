#include "ops/dropout.h"

#include "autograd/tape.h"
#include "kernels/elementwise.h"
#include "ops/check.h"

namespace suanli::ops {

void check_dropout(const char* op, const DropoutKey& key) {
  if (!(key.probability >= 0 && key.probability < 1)) {
    throw UserError(op, "expected a dropout probability in [0, 1), got " + std::to_string(key.probability));
  }
}

Tensor dropout(const Tensor& x, const DropoutKey& key) {
  check_tensor("dropout", "x", x, x.shape().rank(), kFloating);
  check_dropout("dropout", key);
  if (key.probability == 0) return x;
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::dropout({x.data(), y.data(), x.elements(), key, x.dtype()}, stream_of(x));
  record("dropout", y, {x}, [key](const Tensor& dy) { return std::vector<Tensor>{dropout(dy, key)}; });
  return y;
}

}  // namespace suanli::ops
