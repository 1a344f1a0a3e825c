#include "models/mobilenet/mobilenet.h"

#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/pooling2d.h"

namespace suanli::models {

ConvNorm::ConvNorm(nn::ParameterScope scope, const MobileNetConfig& config, const Options& o)
    : conv_(scope / "conv", o.in, o.out,
            {.kernel = o.kernel,
             .window = {.stride = {o.stride, o.stride}, .padding = {o.kernel / 2, o.kernel / 2}, .groups = o.groups},
             .same_padding = config.same_padding,
             .weight = nn::kaiming_normal(o.out * o.kernel * o.kernel / o.groups)}),
      norm_(scope / "norm", o.out, config.norm_eps, config.norm_momentum) {}

Tensor ConvNorm::relu6(const Tensor& x, const nn::Mode& mode) const { return ops::relu6((*this)(x, mode)); }

InvertedResidual::InvertedResidual(nn::ParameterScope scope, const MobileNetConfig& config,
                                   const InvertedResidualConfig& b)
    : residual_(b.residual),
      expand_(b.expands ? std::optional(ConvNorm(scope / "expand", config, {.in = b.in, .out = b.inner}))
                        : std::nullopt),
      depthwise_(scope / "depthwise", config,
                 {.in = b.inner, .out = b.inner, .kernel = b.kernel, .stride = b.stride, .groups = b.inner}),
      project_(scope / "project", config, {.in = b.inner, .out = b.out}) {}

Tensor InvertedResidual::operator()(const Tensor& x, const nn::Mode& mode) const {
  const Tensor wide = expand_ ? expand_->relu6(x, mode) : x;
  const Tensor y = project_(depthwise_.relu6(wide, mode), mode);
  return residual_ ? ops::add(y, x) : y;
}

std::vector<size_t> stage_sizes(const std::vector<InvertedResidualConfig>& blocks) {
  std::vector<size_t> sizes;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i == 0 || blocks[i].stride > 1) sizes.push_back(0);
    ++sizes.back();
  }
  return sizes;
}

MobileNetBody::MobileNetBody(nn::ParameterScope scope, const MobileNetConfig& config)
    : configs_(config.blocks),
      stem_(scope / "stem", config, {.in = config.channels, .out = config.stem, .kernel = 3, .stride = 2}) {
  for (const InvertedResidualConfig& block : configs_) {
    blocks_.emplace_back(scope / ("block." + std::to_string(blocks_.size())), config, block);
  }
}

std::vector<Tensor> MobileNetBody::stages(const Tensor& pixels, const nn::Mode& mode) const {
  Tensor x = stem_.relu6(ops::cast(pixels, mode.dtype), mode);
  std::vector<Tensor> out;
  auto block = blocks_.begin();
  for (const size_t size : stage_sizes(configs_)) {
    for (size_t i = 0; i < size; ++i) x = (*block++)(x, mode);
    out.push_back(x);
  }
  return out;
}

std::vector<int64_t> MobileNetBody::widths() const {
  std::vector<int64_t> widths;
  size_t end = 0;
  for (const size_t size : stage_sizes(configs_)) widths.push_back(configs_[(end += size) - 1].out);
  return widths;
}

MobileNet::MobileNet(nn::ParameterScope scope, const MobileNetConfig& config)
    : body_(scope, config),
      last_(scope / "last", config, {.in = config.blocks.back().out, .out = config.features}),
      dropout_{config.dropout, scope.next_site()},
      classifier_(scope / "classifier", config.features, label_count(config)) {}

Tensor MobileNet::image_logits(const Tensor& pixels, const nn::Mode& mode) const {
  const Tensor x = ops::global_avg_pool2d(last_.relu6(body_.stages(pixels, mode).back(), mode));
  return ops::cast(classifier_(dropout_(x, mode)), DType::f32);
}

}  // namespace suanli::models
