#include "ops/layout.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/concat.h"
#include "kernels/layout.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

/// Each of `batch` matrices [rows, columns] transposed, under a shape.
Tensor transposed(const Tensor& x, int64_t batch, int64_t rows, int64_t columns, const Shape& shape) {
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  kernels::transpose({x.data(), y.data(), batch, rows, columns, x.dtype()}, stream_of(x));
  return y;
}

Tensor exchange(const char* op, const Tensor& x, int64_t rows, int64_t columns, const Shape& shape) {
  Tensor y = transposed(x, x.dim(0), rows, columns, shape);
  record(op, y, {x}, [rows, columns, shape = x.shape()](const Tensor& dy) {
    return std::vector<Tensor>{transposed(dy, shape[0], columns, rows, shape)};
  });
  return y;
}

/// Between deep [B,H,W,C r^2] and wide [B, H r, W r, C] of `deep`'s elements; `inverse`: x is wide.
Tensor shuffled(const Tensor& x, const Shape& deep, int64_t factor, bool inverse) {
  const int64_t channels = deep[3] / (factor * factor);
  const Shape wide = {deep[0], deep[1] * factor, deep[2] * factor, channels};
  Tensor y = Tensor::empty(inverse ? deep : wide, x.dtype(), x.device());
  kernels::pixel_shuffle({x.data(), y.data(), deep[0], deep[1], deep[2], channels, factor, inverse, x.dtype()},
                         stream_of(x));
  return y;
}

/// `width` columns from `first` of x [..., columns], as a tensor of `shape`.
Tensor columns_of(const Tensor& x, int64_t first, const Shape& shape) {
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  const int64_t columns = x.dim(-1), width = shape.dim(-1);
  if (y.elements() == 0) return y;
  const auto* from = static_cast<const std::byte*>(x.data()) + first * size_of(x.dtype());
  kernels::copy_columns({from, y.data(), y.elements() / width, width, columns, width, x.dtype()}, stream_of(x));
  return y;
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  check_tensor("reshape", "x", x, x.shape().rank(), kFloating);
  if (x.elements() != shape.elements()) {
    throw UserError("reshape", concat("expected a shape of ", x.elements(), " elements for ", x.shape().text(),
                                      ", got ", shape.text()));
  }
  Tensor y = detach(x).reshape(shape);
  record("reshape", y, {x}, [before = x.shape()](const Tensor& dy) { return std::vector<Tensor>{dy.reshape(before)}; });
  return y;
}

Tensor cat(const Tensor& a, const Tensor& b) {
  check_tensor("cat", "a", a, a.shape().rank(), kFloating);
  check_tensor("cat", "b", b, a.shape().rank(), {a.dtype()});
  check_device("cat", a, b);
  if (a.shape().rank() == 0) throw UserError("cat", "expected at least one dimension, got a scalar");
  std::vector<int64_t> sizes(b.shape().sizes().begin(), b.shape().sizes().end());
  sizes.back() = a.dim(-1);
  check_shape("cat", "a", a, Shape(sizes));
  sizes.back() += b.dim(-1);
  Tensor y = Tensor::empty(Shape(sizes), a.dtype(), a.device());
  const int64_t left = a.dim(-1), right = b.dim(-1), rows = y.elements() / std::max<int64_t>(left + right, 1);
  auto* to = static_cast<std::byte*>(y.data());
  kernels::copy_columns({a.data(), to, rows, left, left, left + right, a.dtype()}, stream_of(a));
  kernels::copy_columns({b.data(), to + left * size_of(a.dtype()), rows, right, right, left + right, a.dtype()},
                        stream_of(a));
  const bool want_a = wants_gradient(a), want_b = wants_gradient(b);
  record("cat", y, {a, b}, [want_a, want_b, a_shape = a.shape(), b_shape = b.shape()](const Tensor& dy) {
    return std::vector<Tensor>{want_a ? columns_of(dy, 0, a_shape) : Tensor(),
                               want_b ? columns_of(dy, a_shape.dim(-1), b_shape) : Tensor()};
  });
  return y;
}

Tensor channels_last(const Tensor& x) {
  check_tensor("channels_last", "x", x, 4, kFloating);
  const int64_t channels = x.dim(1), pixels = x.dim(2) * x.dim(3);
  return exchange("channels_last", x, channels, pixels, {x.dim(0), x.dim(2), x.dim(3), channels});
}

Tensor channels_first(const Tensor& x) {
  check_tensor("channels_first", "x", x, 4, kFloating);
  const int64_t channels = x.dim(3), pixels = x.dim(1) * x.dim(2);
  return exchange("channels_first", x, pixels, channels, {x.dim(0), channels, x.dim(1), x.dim(2)});
}

Tensor pixel_shuffle(const Tensor& x, int64_t factor) {
  check_tensor("pixel_shuffle", "x", x, 4, kFloating);
  constexpr int64_t kMost = 1 << 15;  // its square is no overflow
  if (factor < 1 || factor > kMost || x.dim(3) % (factor * factor) != 0) {
    throw UserError("pixel_shuffle", concat("expected a factor of at least 1 whose square divides the ", x.dim(3),
                                            " channels, got ", factor));
  }
  Tensor y = shuffled(x, x.shape(), factor, false);
  record("pixel_shuffle", y, {x}, [factor, shape = x.shape()](const Tensor& dy) {
    return std::vector<Tensor>{shuffled(dy, shape, factor, true)};
  });
  return y;
}

}  // namespace suanli::ops
