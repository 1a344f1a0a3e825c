#include "models/keypoints/heat_map_network.h"

#include "base/concat.h"
#include "base/error.h"
#include "models/image_labels.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"

namespace suanli::models {

NormedConvolution::NormedConvolution(nn::ParameterScope scope, int64_t in, int64_t out, int64_t stride)
    : conv_(scope / "conv", in, out,
            {.kernel = 3,
             .window = {.stride = {stride, stride}, .padding = {1, 1}},
             .weight = nn::kaiming_normal(out * 9)}),
      norm_(scope / "norm", out) {}

Tensor NormedConvolution::operator()(const Tensor& x, const nn::Mode& mode) const { return norm_.relu(conv_(x), mode); }

HeatMapNetwork::HeatMapNetwork(nn::ParameterScope scope, const HeatMapConfig& config)
    : stem_(scope / "stem", config.channels, config.widths.front(), 2),
      classifier_(scope / "classifier", config.widths.front(), config.key_points, {.kernel = 1, .bias = true}) {
  const std::vector<int64_t>& widths = config.widths;
  for (size_t i = 0; i < widths.size(); ++i) {
    const nn::ParameterScope stage = scope / concat("down.", i);
    const int64_t in = widths[i > 0 ? i - 1 : 0], width = widths[i];
    down_.push_back({NormedConvolution(stage / "enter", in, width, 2),
                     NormedConvolution(stage / "first", width, width, 1),
                     NormedConvolution(stage / "second", width, width, 1)});
  }
  for (size_t i = widths.size() - 1; i > 0; --i) {
    const nn::ParameterScope step = scope / concat("up.", widths.size() - 1 - i);
    up_.push_back({nn::ConvTranspose2d(step / "widen", widths[i], widths[i - 1], 2),
                   nn::BatchNorm2d(step / "norm", widths[i - 1])});
  }
}

Tensor HeatMapNetwork::heat_maps(const Tensor& pixels, const nn::Mode& mode) const {
  Tensor x = stem_(ops::cast(pixels, mode.dtype), mode);
  std::vector<Tensor> levels;
  for (const Stage& stage : down_) {
    x = stage.enter(x, mode);
    x = ops::add(x, stage.second(stage.first(x, mode), mode));
    levels.push_back(x);
  }
  for (const Step& step : up_) {
    levels.pop_back();
    x = ops::add(levels.back(), step.norm.relu(step.widen(x), mode));
  }
  return ops::cast(classifier_(x), DType::f32);
}

namespace {

class HeatMapFamily final : public Family {
 public:
  explicit HeatMapFamily(HeatMapConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    if (head != Head::keypoint_detection) {
      throw UserError("model", "expected the task keypoint-detection for a network of heat maps, got another one");
    }
    return std::make_unique<HeatMapNetwork>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("HeatMap") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    const bool convolution = parameter.ends_with(".weight") && !parameter.ends_with("norm.weight");
    return {.names = {parameter},
            .may_be_new = parameter.starts_with("classifier"),
            .axes = convolution ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  HeatMapConfig config_;
};

}  // namespace

HeatMapConfig heat_map_config(const Json& json, const std::string& where) {
  const auto type = json_get_or<std::string>(json, "model_type", "", where);
  if (type != "heatmap") {
    throw UserError(where, concat("expected a network of heat maps, model_type heatmap, got \"", type, '"'));
  }
  HeatMapConfig config;
  config.json = json;
  config.key_points = config_size(json, "num_keypoints", 1, where);
  if (json.contains("num_channels")) config.channels = config_size(json, "num_channels", 1, where);
  if (json.contains("image_size")) config.image_size = config_size(json, "image_size", 1, where);
  if (json.contains("hidden_sizes")) config.widths = config_widths(json, "hidden_sizes", where);
  if (config.channels != 1 && config.channels != 3) {
    throw UserError(where, concat("expected \"num_channels\" 1 or 3, got ", config.channels));
  }
  if (config.key_points > 1 << 16) {
    throw UserError(where, concat("expected \"num_keypoints\" of at most 2^16, got ", config.key_points));
  }
  if (config.widths.empty() || config.widths.size() > 8) {
    throw UserError(where, concat("expected 1 to 8 \"hidden_sizes\", got ", config.widths.size()));
  }
  const int64_t step = int64_t{2} << config.widths.size();
  if (config.image_size % step != 0 || config.image_size > 1 << 14) {
    throw UserError(where, concat("expected an \"image_size\" of at most 2^14 that is a multiple of ", step, " for ",
                                  config.widths.size(), " hidden_sizes, got ", config.image_size));
  }
  return config;
}

std::unique_ptr<Family> read_heat_map_network(const Json& json, const std::string& where) {
  return std::make_unique<HeatMapFamily>(heat_map_config(json, where));
}

}  // namespace suanli::models
