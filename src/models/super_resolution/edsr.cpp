#include "models/super_resolution/edsr.h"

#include "base/concat.h"
#include "base/error.h"
#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/layout.h"

namespace suanli::models {
namespace {

nn::Conv2d::Options biased3x3() { return {.kernel = 3, .window = {.padding = {1, 1}}, .bias = true}; }

std::vector<double> each_times(double factor, std::vector<double> values) {
  for (double& value : values) value *= factor;
  return values;
}

}  // namespace

ChannelShift::ChannelShift(double factor, const std::vector<double>& shift) {
  const size_t channels = shift.size();
  std::vector<float> weight(channels * channels), bias;
  for (size_t c = 0; c < channels; ++c) {
    weight[c * channels + c] = static_cast<float>(factor);
    bias.push_back(static_cast<float>(shift[c]));
  }
  const auto width = static_cast<int64_t>(channels);
  weight_ = Tensor::from(weight, {width, 1, 1, width});
  bias_ = Tensor::from(bias, {width});
  weight_.make_constant();
  bias_.make_constant();
}

Tensor ChannelShift::operator()(const Tensor& x) const {
  return ops::conv2d(x, weight_.on(x.device()), bias_.on(x.device()));
}

Edsr::Edsr(nn::ParameterScope scope, const EdsrConfig& config)
    : res_scale_(config.res_scale),
      normalize_(config.rgb_range, each_times(-config.rgb_range, config.rgb_mean)),
      denormalize_(1 / config.rgb_range, config.rgb_mean),
      head_(scope / "head.0", config.channels, config.features, biased3x3()),
      factors_(config.upscale == 4 ? std::vector<int64_t>{2, 2} : std::vector<int64_t>{config.upscale}),
      tail_(scope / "tail.1", config.features, config.channels, biased3x3()) {
  const int64_t width = config.features;
  for (int64_t i = 0; i < config.blocks; ++i) {
    body_.emplace_back(scope / concat("body.", i, ".body.0"), width, width, biased3x3());
    body_.emplace_back(scope / concat("body.", i, ".body.2"), width, width, biased3x3());
  }
  body_.emplace_back(scope / concat("body.", config.blocks), width, width, biased3x3());
  for (size_t i = 0; i < factors_.size(); ++i) {  // the shuffles have numbers, too
    upsampler_.emplace_back(scope / concat("tail.0.", 2 * i), width, width * factors_[i] * factors_[i], biased3x3());
  }
}

Tensor Edsr::enlarged_pixels(const Tensor& pixels, const nn::Mode& mode) const {
  const Tensor features = head_(ops::cast(normalize_(pixels), mode.dtype));
  Tensor x = features;
  for (size_t i = 0; i + 1 < body_.size(); i += 2) {
    const Tensor inner = body_[i + 1](ops::relu(body_[i](x)));
    x = ops::add(x, res_scale_ == 1 ? inner : ops::scale(inner, res_scale_));
  }
  x = ops::add(features, body_.back()(x));
  for (size_t i = 0; i < upsampler_.size(); ++i) x = ops::pixel_shuffle(upsampler_[i](x), factors_[i]);
  return denormalize_(ops::cast(tail_(x), DType::f32));
}

namespace {

class EdsrFamily final : public Family {
 public:
  explicit EdsrFamily(EdsrConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    check_super_resolution_head(head);
    return std::make_unique<Edsr>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("Edsr") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    return {.names = {parameter}, .axes = parameter.ends_with(".weight") ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string& name) const override {  // rgb_mean says the same
    return name.starts_with("sub_mean.") || name.starts_with("add_mean.");
  }

 private:
  EdsrConfig config_;
};

int64_t size_up_to(const Json& json, const char* key, int64_t otherwise, int64_t most, const std::string& where) {
  const int64_t value = json.contains(key) ? config_size(json, key, 1, where) : otherwise;
  if (value <= most) return value;
  throw UserError(where, concat("expected \"", key, "\" of at most ", most, ", got ", value));
}

}  // namespace

EdsrConfig edsr_config(const Json& json, const std::string& where) {
  EdsrConfig config;
  read_super_resolution(json, where, config);
  config.blocks = size_up_to(json, "n_resblocks", config.blocks, 1024, where);
  config.features = size_up_to(json, "n_feats", config.features, 1 << 14, where);
  config.res_scale = json_get_or<double>(json, "res_scale", 1, where);
  config.rgb_range = json_get_or<double>(json, "rgb_range", config.rgb_range, where);
  if (!(config.rgb_range > 0)) {
    throw UserError(where, concat("expected \"rgb_range\" above 0, got ", config.rgb_range));
  }
  // The mean colour of DIV2K.
  config.rgb_mean = config.channels == 3 ? std::vector<double>{0.4488, 0.4371, 0.4040} : std::vector<double>{0};
  config.rgb_mean = json_get_or<std::vector<double>>(json, "rgb_mean", config.rgb_mean, where);
  if (static_cast<int64_t>(config.rgb_mean.size()) != config.channels) {
    throw UserError(where, concat("expected \"rgb_mean\" with a number for each of ", config.channels,
                                  " channels, got ", config.rgb_mean.size()));
  }
  config.reach = 2 * config.blocks + 4;  // a pixel for each convolution, fewer for those behind a shuffle
  return config;
}

std::unique_ptr<Family> read_edsr(const Json& json, const std::string& where) {
  return std::make_unique<EdsrFamily>(edsr_config(json, where));
}

}  // namespace suanli::models
