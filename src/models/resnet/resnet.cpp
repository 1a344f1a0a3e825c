#include "models/resnet/resnet.h"

#include "base/error.h"
#include "models/image_labels.h"
#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/layout.h"
#include "ops/pooling2d.h"

namespace suanli::models {

namespace {

constexpr int64_t kBottleneck = 4;  // channels out of a bottleneck for each inside

nn::Conv2d::Options square(int64_t kernel, int64_t stride, int64_t out) {
  return {.kernel = kernel,
          .window = {.stride = {stride, stride}, .padding = {kernel / 2, kernel / 2}},
          .weight = nn::kaiming_normal(out * kernel * kernel)};
}

/// x of every second row and column between as many zero channels on both sides ("option A").
Tensor padded_shortcut(const Tensor& x, int64_t out, int64_t stride) {
  Tensor some = ops::max_pool2d(x, {.kernel = {1, 1}, .stride = {stride, stride}});
  const int64_t missing = out - x.dim(3);
  if (missing == 0) return some;
  const Shape side = {some.dim(0), some.dim(1), some.dim(2), missing / 2};
  const Tensor zeros = Tensor::zeros(side, x.dtype(), x.device());
  return ops::cat(ops::cat(zeros, some), zeros);
}

void read_cifar(const Json& json, const std::string& where, ResNetConfig& config) {
  const int64_t depth = config_size(json, "depth", 8, where);
  if (depth % 6 != 2 || depth > 2000) {
    throw UserError(where, "expected \"depth\" of 6 n + 2 layers up to 2000, got " + std::to_string(depth));
  }
  config.cifar = true;
  config.stem = 16;
  config.depths = {depth / 6, depth / 6, depth / 6};
  config.widths = {16, 32, 64};
}

void read_hugging_face(const Json& json, const std::string& where, ResNetConfig& config) {
  const auto type = json_get_or<std::string>(json, "layer_type", "bottleneck", where);
  if (type != "basic" && type != "bottleneck") {
    throw UserError(where, "expected \"layer_type\" basic or bottleneck, got \"" + type + "\"");
  }
  for (const char* key : {"downsample_in_first_stage", "downsample_in_bottleneck"}) {
    if (json_get_or<bool>(json, key, false, where)) {
      throw UserError(where, std::string("expected \"") + key + "\" to be false, got true");
    }
  }
  if (const auto act = json_get_or<std::string>(json, "hidden_act", "relu", where); act != "relu") {
    throw UserError(where, "expected \"hidden_act\" relu, got \"" + act + "\"");
  }
  config.bottleneck = type == "bottleneck";
  config.stem = config_size(json, "embedding_size", 1, where);
  config.depths = config_widths(json, "depths", where);
  config.widths = config_widths(json, "hidden_sizes", where);
  if (config.depths.empty() || config.depths.size() != config.widths.size()) {
    throw UserError(where, "expected \"depths\" and \"hidden_sizes\" of equal length, got " +
                               std::to_string(config.depths.size()) + " and " + std::to_string(config.widths.size()));
  }
}

}  // namespace

ResNetConfig resnet_config(const Json& json, const std::string& where) {
  ResNetConfig config;
  read_image_config(json, where, config);
  config.channels = json.contains("num_channels") ? config_size(json, "num_channels", 1, where) : 3;
  const bool cifar = json_get<std::string>(json, "model_type", where) == "resnet_cifar";
  cifar ? read_cifar(json, where, config) : read_hugging_face(json, where, config);
  return config;
}

ResidualBlock::ResidualBlock(nn::ParameterScope scope, const ResNetConfig& config, int64_t in, int64_t out,
                             int64_t stride)
    : in_(in), out_(out), stride_(stride) {
  const auto add = [&](int64_t from, int64_t to, int64_t kernel, int64_t step) {
    const std::string number = std::to_string(norms_.size() + 1);
    convolutions_.emplace_back(scope / ("conv" + number), from, to, square(kernel, step, to));
    norms_.emplace_back(scope / ("bn" + number), to);
  };
  if (config.bottleneck) {
    const int64_t inner = out / kBottleneck;
    add(in, inner, 1, 1);
    add(inner, inner, 3, stride);
    add(inner, out, 1, 1);
  } else {
    add(in, out, 3, stride);
    add(out, out, 3, 1);
  }
  if (!config.cifar && (in != out || stride != 1)) {
    projection_.emplace_back(scope / "downsample.0", in, out, square(1, stride, out));
    projection_norm_.emplace_back(scope / "downsample.1", out);
  }
}

Tensor ResidualBlock::shortcut(const Tensor& x, const nn::Mode& mode) const {
  if (!projection_.empty()) return projection_norm_.front()(projection_.front()(x), mode);
  return in_ == out_ && stride_ == 1 ? x : padded_shortcut(x, out_, stride_);
}

Tensor ResidualBlock::operator()(const Tensor& x, const nn::Mode& mode) const {
  Tensor y = x;
  for (size_t i = 0; i + 1 < norms_.size(); ++i) y = norms_[i].relu(convolutions_[i](y), mode);
  y = norms_.back()(convolutions_.back()(y), mode);
  return ops::relu(ops::add(y, shortcut(x, mode)));
}

ResNetBody::ResNetBody(nn::ParameterScope scope, const ResNetConfig& config)
    : cifar_(config.cifar),
      widths_(config.widths),
      stem_(scope / "conv1", config.channels, config.stem,
            config.cifar ? square(3, 1, config.stem) : square(7, 2, config.stem)),
      stem_norm_(scope / "bn1", config.stem) {
  int64_t in = config.stem;
  for (size_t stage = 0; stage < config.depths.size(); ++stage) {
    std::vector<ResidualBlock>& blocks = stages_.emplace_back();
    for (int64_t i = 0; i < config.depths[stage]; ++i) {
      const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      const auto name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      blocks.emplace_back(scope / name, config, in, config.widths[stage], stride);
      in = config.widths[stage];
    }
  }
}

std::vector<Tensor> ResNetBody::stages(const Tensor& pixels, const nn::Mode& mode) const {
  Tensor x = stem_norm_.relu(stem_(ops::cast(pixels, mode.dtype)), mode);
  if (!cifar_) x = ops::max_pool2d(x, {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
  std::vector<Tensor> out;
  for (const std::vector<ResidualBlock>& stage : stages_) {
    for (const ResidualBlock& block : stage) x = block(x, mode);
    out.push_back(x);
  }
  return out;
}

ResNet::ResNet(nn::ParameterScope scope, const ResNetConfig& config)
    : body_(scope, config), classifier_(scope / "fc", config.widths.back(), label_count(config)) {}

Tensor ResNet::image_logits(const Tensor& pixels, const nn::Mode& mode) const {
  return ops::cast(classifier_(features(pixels, mode)), DType::f32);
}

Tensor ResNet::image_features(const Tensor& pixels, const nn::Mode& mode) const {
  return ops::cast(features(pixels, mode), DType::f32);
}

Tensor ResNet::features(const Tensor& pixels, const nn::Mode& mode) const {
  return ops::global_avg_pool2d(body_.stages(pixels, mode).back());
}

}  // namespace suanli::models
