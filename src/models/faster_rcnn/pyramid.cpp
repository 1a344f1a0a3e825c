#include "models/faster_rcnn/pyramid.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "ops/arithmetic.h"
#include "ops/pooling2d.h"
#include "ops/upsample.h"

namespace suanli::models {

nn::Initializer kaiming_uniform(int64_t fan) { return nn::uniform(std::sqrt(3.0 / static_cast<double>(fan))); }

FeaturePyramid::FeaturePyramid(nn::ParameterScope scope, const std::vector<int64_t>& widths, int64_t out) {
  for (size_t i = 0; i < widths.size(); ++i) {
    const std::string name = std::to_string(i) + ".0";
    inner_.emplace_back(
        scope / ("inner_blocks." + name), widths[i], out,
        nn::Conv2d::Options{
            .kernel = 1, .bias = true, .weight = kaiming_uniform(widths[i]), .bias_values = nn::zeros()});
    layer_.emplace_back(scope / ("layer_blocks." + name), out, out,
                        nn::Conv2d::Options{.kernel = 3,
                                            .window = {.padding = {1, 1}},
                                            .bias = true,
                                            .weight = kaiming_uniform(out * 9),
                                            .bias_values = nn::zeros()});
  }
}

std::vector<Tensor> FeaturePyramid::operator()(const std::vector<Tensor>& maps) const {
  std::vector<Tensor> out(maps.size());
  Tensor above;
  for (size_t i = maps.size(); i-- > 0;) {
    Tensor inner = inner_[i](maps[i]);
    if (above.defined()) {
      const ops::Pair size = {inner.dim(1), inner.dim(2)};
      inner = ops::add(inner, ops::upsample(above, size, ops::Interpolation::nearest));
    }
    out[i] = layer_[i](inner);
    above = inner;
  }
  out.push_back(ops::max_pool2d(out.back(), {.kernel = {1, 1}, .stride = {2, 2}}));
  return out;
}

}  // namespace suanli::models
