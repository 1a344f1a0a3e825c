#include "ops/feed_forward.h"

#include "autograd/tape.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/product.h"

namespace suanli::ops {

namespace {

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
  const auto empty = [&](int64_t width) { return Tensor::empty({x.dim(0), width}, x.dtype(), x.device()); };
  const Tensor up_weight = cast(detach(up.weight), x.dtype()), down_weight = cast(detach(down.weight), x.dtype());
  Tensor inner = empty(up.weight.dim(0)), slope = want_h ? empty(up.weight.dim(0)) : Tensor();
  product(x, false, up_weight, true, up.bias, inner,
          {.activation = f, .slope = slope.defined() ? slope.data() : nullptr});
  Tensor y = empty(down.weight.dim(0));
  product(inner, false, down_weight, true, down.bias, y);

  record("feed_forward", y, {x, up.weight, up.bias, down.weight, down.bias},
         [=, x = want_up ? detach(x) : Tensor(), inner = want_down ? inner : Tensor(), up_dtype = up.weight.dtype(),
          up_bias_dtype = up.bias.dtype(), down_dtype = down.weight.dtype(),
          down_bias_dtype = down.bias.dtype()](const Tensor& dy) {
           Tensor dx, dup, dup_bias, ddown, ddown_bias;
           if (want_down) ddown = weight_gradient(dy, inner, down_dtype);
           if (want_down_bias) ddown_bias = bias_gradient(dy, down_bias_dtype);
           if (want_h) {
             Tensor dh = Tensor::empty(slope.shape(), dy.dtype(), dy.device());
             product(dy, false, down_weight, false, {}, dh, {.factor = slope.data()});
             if (want_up) dup = weight_gradient(dh, x, up_dtype);
             if (want_up_bias) dup_bias = bias_gradient(dh, up_bias_dtype);
             if (want_x) {
               dx = Tensor::empty({dh.dim(0), up_weight.dim(1)}, dy.dtype(), dy.device());
               product(dh, false, up_weight, false, {}, dx);
             }
           }
           return std::vector<Tensor>{dx, dup, dup_bias, ddown, ddown_bias};
         });
  return y;
}

}  // namespace suanli::ops
