#include "models/unet/unet.h"

#include "base/concat.h"
#include "base/error.h"
#include "models/image_labels.h"
#include "ops/cast.h"
#include "ops/layout.h"
#include "ops/pooling2d.h"

namespace suanli::models {

namespace {

nn::Conv2d::Options padded3x3(int64_t out) {
  return {.kernel = 3, .window = {.padding = {1, 1}}, .weight = nn::kaiming_normal(out * 9)};
}

}  // namespace

DoubleConvolution::DoubleConvolution(nn::ParameterScope scope, int64_t in, int64_t out)
    : first_(scope / "double_conv.0", in, out, padded3x3(out)),
      second_(scope / "double_conv.3", out, out, padded3x3(out)),
      first_norm_(scope / "double_conv.1", out),
      second_norm_(scope / "double_conv.4", out) {}

Tensor DoubleConvolution::operator()(const Tensor& x, const nn::Mode& mode) const {
  return second_norm_.relu(second_(first_norm_.relu(first_(x), mode)), mode);
}

Unet::Unet(nn::ParameterScope scope, const UnetConfig& config)
    : classifier_(scope / "outc.conv", config.widths.front(), label_count(config), {.kernel = 1, .bias = true}) {
  const std::vector<int64_t>& widths = config.widths;
  down_.emplace_back(scope / "inc", config.channels, widths[0]);
  for (size_t i = 1; i < widths.size(); ++i) {
    down_.emplace_back(scope / concat("down", i, ".maxpool_conv.1"), widths[i - 1], widths[i]);
  }
  for (size_t i = widths.size() - 1; i > 0; --i) {
    const nn::ParameterScope up = scope / concat("up", widths.size() - i);
    widen_.emplace_back(up / "up", widths[i], widths[i - 1], 2);
    up_.emplace_back(up / "conv", 2 * widths[i - 1], widths[i - 1]);
  }
}

Tensor Unet::pixel_logits(const Tensor& pixels, const nn::Mode& mode) const {
  const int64_t step = int64_t{1} << up_.size();
  if (pixels.dim(1) % step != 0 || pixels.dim(2) % step != 0) {
    throw UserError("unet", concat("expected images whose sides are multiples of ", step, ", got ", pixels.dim(1),
                                   " x ", pixels.dim(2)));
  }
  std::vector<Tensor> skips = {down_[0](ops::cast(pixels, mode.dtype), mode)};
  for (size_t i = 1; i < down_.size(); ++i) skips.push_back(down_[i](ops::max_pool2d(skips.back()), mode));
  Tensor x = skips.back();
  for (size_t i = 0; i < up_.size(); ++i) {
    skips.pop_back();
    x = up_[i](ops::cat(skips.back(), widen_[i](x)), mode);
  }
  return ops::cast(classifier_(x), DType::f32);
}

namespace {

class UnetFamily final : public Family {
 public:
  explicit UnetFamily(UnetConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    if (head != Head::semantic_segmentation) {
      throw UserError("model", "expected the task image-segmentation for a U-Net, got another one");
    }
    return std::make_unique<Unet>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("UNet") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    const bool norm = parameter.find(".double_conv.1.") != std::string::npos ||
                      parameter.find(".double_conv.4.") != std::string::npos;
    const bool convolution = parameter.ends_with(".weight") && !norm;
    return {.names = {parameter},
            .may_be_new = parameter.starts_with("outc"),
            .axes = convolution ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  UnetConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_unet(const Json& json, const std::string& where) {
  UnetConfig config;
  read_image_config(json, where, config);
  if (json.contains("num_channels")) config.channels = config_size(json, "num_channels", 1, where);
  if (json.contains("hidden_sizes")) config.widths = config_widths(json, "hidden_sizes", where);
  if (config.widths.empty() || config.widths.size() > 16) {
    throw UserError(where, concat("expected 1 to 16 \"hidden_sizes\", got ", config.widths.size()));
  }
  return std::make_unique<UnetFamily>(std::move(config));
}

}  // namespace suanli::models
