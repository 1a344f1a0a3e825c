#include "models/mobilenet/config.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "models/image_labels.h"

namespace suanli::models {

namespace {

/// Blocks of one width: how much wider they are inside, channels out, how many, stride of the first, kernel.
struct Stage {
  int64_t ratio, out, repeats, stride, kernel = 3;
};
using Stages = std::vector<Stage>;
// Sandler et al. 2018, table 2; Tan and Le 2019, table 1.
const Stages kMobileNetV2 = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
const Stages kEfficientNet = {{1, 16, 1, 1, 3},  {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3},
                              {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};

/// The multiple of `divisor` next to `value`, at least `least`, and not below nine tenths of it.
int64_t divisible(double value, int64_t divisor, int64_t least) {
  const auto near = static_cast<int64_t>(value + static_cast<double>(divisor) / 2) / divisor * divisor;
  const int64_t rounded = std::max(least, near);
  return static_cast<double>(rounded) < 0.9 * value ? rounded + divisor : rounded;
}

double positive(const Json& json, const char* key, double otherwise, const std::string& where) {
  const auto value = json_get_or<double>(json, key, otherwise, where);
  if (value > 0 && value <= 1000) return value;
  throw UserError(where, concat("expected \"", key, "\" above 0 and up to 1000, got ", value));
}

/// Rows of at least `least` and at most five numbers, as Stage has them.
Stages read_stages(const Json& json, const char* key, const Stages& otherwise, size_t least, const std::string& where) {
  if (!json.contains(key)) return otherwise;
  Stages stages;
  for (const auto& row : json_get<std::vector<std::vector<int64_t>>>(json, key, where)) {
    const bool fits = row.size() >= least && row.size() <= 5;
    if (!fits || !std::ranges::all_of(row, [](int64_t each) { return each >= 1 && each <= 1 << 16; })) {
      throw UserError(where, concat("expected rows of ", least, " numbers in 1..65536 in \"", key, "\""));
    }
    stages.push_back({row[0], row[1], row[2], row[3], row.size() > 4 ? row[4] : 3});
  }
  if (stages.empty()) throw UserError(where, concat("expected at least one row in \"", key, "\", got none"));
  return stages;
}

template <class Width, class Inner>
void add_blocks(const Stages& stages, const Width& width, const Inner& inner, MobileNetConfig& config) {
  int64_t in = config.stem;
  for (const Stage& stage : stages) {
    const int64_t out = width(stage.out);
    for (int64_t i = 0; i < stage.repeats; ++i) {
      const int64_t stride = i == 0 ? stage.stride : 1;
      const bool expands = stage.ratio != 1;
      config.blocks.push_back({.in = in,
                               .inner = expands ? inner(in, stage.ratio) : in,
                               .out = out,
                               .kernel = stage.kernel,
                               .stride = stride,
                               .expands = expands,
                               .residual = stride == 1 && in == out});
      in = out;
    }
  }
}

int64_t times(int64_t in, int64_t ratio) { return in * ratio; }

void read_torchvision(const Json& json, const std::string& where, MobileNetConfig& config) {
  const double multiplier = positive(json, "width_mult", 1, where);
  const auto width = [&](int64_t channels) { return divisible(static_cast<double>(channels) * multiplier, 8, 8); };
  config.naming = MobileNetNaming::torchvision;
  config.stem = width(32);
  config.features = divisible(1280 * std::max(1.0, multiplier), 8, 8);
  config.dropout = config_probability(json, "dropout", 0.2, where);
  add_blocks(read_stages(json, "inverted_residual_setting", kMobileNetV2, 4, where), width, times, config);
}

void read_hugging_face(const Json& json, const std::string& where, MobileNetConfig& config) {
  const auto act = json_get_or<std::string>(json, "hidden_act", "relu6", where);
  const auto output_stride = json_get_or<int64_t>(json, "output_stride", 32, where);
  if (act != "relu6" || output_stride != 32 || !json_get_or<bool>(json, "first_layer_is_expansion", true, where)) {
    throw UserError(where,
                    concat("expected \"hidden_act\" relu6, \"output_stride\" 32 and \"first_layer_is_expansion\" "
                           "true, got ",
                           act, ", ", output_stride, " or false"));
  }
  const double multiplier = positive(json, "depth_multiplier", 1, where);
  const int64_t divisor = json.contains("depth_divisible_by") ? config_size(json, "depth_divisible_by", 1, where) : 8;
  const int64_t least = json.contains("min_depth") ? config_size(json, "min_depth", 1, where) : 8;
  const double ratio = positive(json, "expand_ratio", 6, where);
  const auto width = [&](int64_t channels) {
    return divisible(std::nearbyint(static_cast<double>(channels) * multiplier), divisor, least);
  };
  config.stem = width(32);
  const bool whole = json_get_or<bool>(json, "finegrained_output", true, where) && multiplier < 1;
  config.features = whole ? 1280 : width(1280);
  config.same_padding = json_get_or<bool>(json, "tf_padding", true, where);
  config.norm_eps = json_get_or<double>(json, "layer_norm_eps", 1e-3, where);
  config.norm_momentum = 0.997;  // as transformers has it
  config.dropout = config_probability(json, "classifier_dropout_prob", 0.8, where);
  const auto inner = [&](int64_t in, int64_t) {
    return divisible(std::nearbyint(static_cast<double>(in) * ratio), divisor, least);
  };
  add_blocks(kMobileNetV2, width, inner, config);
  config.blocks.front().residual = false;  // it belongs to the stem
}

/// The stem and the last convolution, and how often their neighbours repeat, are the same in all the Lite networks.
void read_efficientnet(const Json& json, const std::string& where, MobileNetConfig& config) {
  const double multiplier = positive(json, "width_coefficient", 1, where);
  const double depth = positive(json, "depth_coefficient", 1, where);
  Stages stages = read_stages(json, "blocks", kEfficientNet, 5, where);
  for (size_t i = 1; i + 1 < stages.size(); ++i) {
    stages[i].repeats = static_cast<int64_t>(std::ceil(depth * static_cast<double>(stages[i].repeats)));
  }
  config.naming = MobileNetNaming::efficientnet;
  config.same_padding = true;
  config.norm_eps = 1e-3;
  config.norm_momentum = 0.01;
  config.dropout = config_probability(json, "dropout_rate", 0.2, where);
  const auto width = [&](int64_t channels) { return divisible(static_cast<double>(channels) * multiplier, 8, 8); };
  add_blocks(stages, width, times, config);
}

}  // namespace

MobileNetConfig mobilenet_config(const Json& json, const std::string& where) {
  MobileNetConfig config;
  read_image_config(json, where, config);
  if (json.contains("num_channels")) config.channels = config_size(json, "num_channels", 1, where);
  if (json_get<std::string>(json, "model_type", where) == "efficientnet_lite") {
    read_efficientnet(json, where, config);
  } else {
    torchvision_names(json, where) ? read_torchvision(json, where, config) : read_hugging_face(json, where, config);
  }
  return config;
}

}  // namespace suanli::models
