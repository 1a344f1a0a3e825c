#include "models/lenet/lenet.h"

#include "base/error.h"
#include "models/image_labels.h"
#include "ops/activation.h"
#include "ops/cast.h"
#include "ops/layout.h"
#include "ops/pooling2d.h"

namespace suanli::models {

LeNet::LeNet(nn::ParameterScope scope, const LeNetConfig& config)
    : conv1_(scope / "conv1", config.channels, 6,
             {.kernel = 5,
              .window = {.padding = {(32 - config.image_size) / 2, (32 - config.image_size) / 2}},
              .bias = true}),
      conv2_(scope / "conv2", 6, 16, {.kernel = 5, .bias = true}),
      fc1_(scope / "fc1", 16 * 5 * 5, 120),
      fc2_(scope / "fc2", 120, 84),
      fc3_(scope / "fc3", 84, label_count(config)) {}

Tensor LeNet::image_logits(const Tensor& pixels, const nn::Mode& mode) const {
  return ops::cast(fc3_(features(pixels, mode)), DType::f32);
}

Tensor LeNet::image_features(const Tensor& pixels, const nn::Mode& mode) const {
  return ops::cast(features(pixels, mode), DType::f32);
}

Tensor LeNet::features(const Tensor& pixels, const nn::Mode& mode) const {
  Tensor x = ops::max_pool2d(ops::relu(conv1_(ops::cast(pixels, mode.dtype))));
  x = ops::max_pool2d(ops::relu(conv2_(x)));
  x = ops::reshape(ops::channels_first(x), {x.dim(0), 16 * 5 * 5});  // the order of PyTorch's flatten
  return ops::relu(fc2_(ops::relu(fc1_(x))));
}

namespace {

class LeNetFamily final : public Family {
 public:
  explicit LeNetFamily(LeNetConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    check_image_head("LeNet", head);
    return std::make_unique<LeNet>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("LeNet") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    const bool convolution = parameter.starts_with("conv") && parameter.ends_with("weight");
    return {.names = {parameter},
            .may_be_new = parameter.starts_with("fc3"),
            .axes = convolution ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  LeNetConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_lenet(const Json& json, const std::string& where) {
  LeNetConfig config;
  read_image_config(json, where, config);
  if (json.contains("num_channels")) config.channels = config_size(json, "num_channels", 1, where);
  if (json.contains("image_size")) config.image_size = config_size(json, "image_size", 1, where);
  if (config.image_size != 28 && config.image_size != 32) {
    throw UserError(where, "expected \"image_size\" 28 or 32, got " + std::to_string(config.image_size));
  }
  return std::make_unique<LeNetFamily>(std::move(config));
}

}  // namespace suanli::models
