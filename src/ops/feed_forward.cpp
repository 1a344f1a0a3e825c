#include "ops/feed_forward.h"

#include <algorithm>

#include "autograd/tape.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/product.h"

namespace suanli::ops {

namespace {

/// Rows at a time where no gradient is wanted, so that f(h) stays in the caches; f32 products gain more from many rows
/// (docs/log.md).
constexpr int64_t kChunk = 512;

/// Whether the gradient goes by the sums of the inner layer, which a library's product keeps and reads, in place of the
/// slopes at them: GELU's tanh form in 16 bits on CUDA (cuBLASLt).
bool keeps_sums(Activation f, const Tensor& x) {
  return f == Activation::gelu_tanh && x.device().type == DeviceType::cuda && size_of(x.dtype()) == 2;
}

void check_map(const char* name, const Tensor& x, const LinearMap& map, int64_t in) {
  const std::string weight = std::string(name) + ".weight", bias = std::string(name) + ".bias";
  check_tensor("feed_forward", weight.c_str(), map.weight, 2, {x.dtype(), accumulation_dtype(x.dtype())});
  check_shape("feed_forward", weight.c_str(), map.weight, {map.weight.dim(0), in});
  check_tensor("feed_forward", bias.c_str(), map.bias, 1, {x.dtype(), accumulation_dtype(x.dtype())});
  check_shape("feed_forward", bias.c_str(), map.bias, {map.weight.dim(0)});
  check_device("feed_forward", x, map.weight);
  check_device("feed_forward", x, map.bias);
}

}  // namespace

Tensor feed_forward(const Tensor& x, const LinearMap& up, Activation f, const LinearMap& down) {
  check_tensor("feed_forward", "x", x, 2, kFloating);
  check_map("up", x, up, x.dim(1));
  check_map("down", x, down, up.weight.dim(0));

  const bool want_down = wants_gradient(down.weight), want_down_bias = wants_gradient(down.bias);
  const bool want_up = wants_gradient(up.weight), want_up_bias = wants_gradient(up.bias);
  const bool want_x = wants_gradient(x), want_h = want_x || want_up || want_up_bias;
  const Tensor up_weight = cast(detach(up.weight), x.dtype()), down_weight = cast(detach(down.weight), x.dtype());
  const bool whole = want_h || want_down || x.dtype() == DType::f32;
  const int64_t tokens = x.dim(0), width = up.weight.dim(0), chunk = whole ? tokens : kChunk;
  const auto empty = [&](int64_t rows, int64_t columns) {
    return Tensor::empty({rows, columns}, x.dtype(), x.device());
  };
  const Tensor inner = empty(std::min(tokens, chunk), width), kept = want_h ? empty(tokens, width) : Tensor();
  const bool by_sum = keeps_sums(f, x);
  const Tensor up_bias = by_sum ? cast(detach(up.bias), x.dtype()) : up.bias;  // a library's product has one dtype
  kernels::Epilogue up_epilogue = {.activation = f};
  if (want_h) (by_sum ? up_epilogue.sum : up_epilogue.slope) = kept.data();
  Tensor y = empty(tokens, down.weight.dim(0));
  for (int64_t begin = 0; begin < tokens; begin += chunk) {
    const int64_t end = std::min(tokens, begin + chunk);
    Tensor f_h = inner.rows(0, end - begin), part = y.rows(begin, end);
    product(x.rows(begin, end), false, up_weight, true, up_bias, f_h, up_epilogue);
    product(f_h, false, down_weight, true, down.bias, part);
  }

  record("feed_forward", y, {x, up.weight, up.bias, down.weight, down.bias},
         [=, x = want_up ? detach(x) : Tensor(), inner = want_down ? inner : Tensor(), up_dtype = up.weight.dtype(),
          up_bias_dtype = up.bias.dtype(), down_dtype = down.weight.dtype(),
          down_bias_dtype = down.bias.dtype()](const Tensor& dy) {
           Tensor dx;
           LinearGradients dup;
           const LinearGradients ddown =
               linear_gradients(dy, inner, {want_down, down_dtype}, {want_down_bias, down_bias_dtype});
           if (want_h) {
             const Tensor dh = Tensor::empty(kept.shape(), dy.dtype(), dy.device());
             const kernels::Epilogue by_kept = by_sum ? kernels::Epilogue{.activation = f, .at = kept.data()}
                                                      : kernels::Epilogue{.factor = kept.data()};
             product(dy, false, down_weight, false, {}, dh, by_kept);
             dup = linear_gradients(dh, x, {want_up, up_dtype}, {want_up_bias, up_bias_dtype});
             if (want_x) {
               dx = Tensor::empty({dh.dim(0), up_weight.dim(1)}, dy.dtype(), dy.device());
               product(dh, false, up_weight, false, {}, dx);
             }
           }
           return std::vector<Tensor>{dx, dup.weight, dup.bias, ddown.weight, ddown.bias};
         });
  return y;
}

}  // namespace suanli::ops
