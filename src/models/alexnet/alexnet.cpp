#include "models/alexnet/alexnet.h"

#include "base/error.h"
#include "models/image_labels.h"
#include "ops/activation.h"
#include "ops/cast.h"
#include "ops/layout.h"
#include "ops/pooling2d.h"

namespace suanli::models {

namespace {

struct Layer {
  const char* name;
  int64_t kernel, stride, padding;
  bool pooled;  ///< the largest of 3x3, every second, follows
};
constexpr Layer kLayers[] = {{"features.0", 11, 4, 2, true},
                             {"features.3", 5, 1, 2, true},
                             {"features.6", 3, 1, 1, false},
                             {"features.8", 3, 1, 1, false},
                             {"features.10", 3, 1, 1, true}};
constexpr int64_t kSide = 6;  // of the last features

int64_t features(const AlexNetConfig& config) { return config.widths.back() * kSide * kSide; }

}  // namespace

AlexNet::AlexNet(nn::ParameterScope scope, const AlexNetConfig& config)
    : convolutions_([&] {
        std::vector<nn::Conv2d> out;
        int64_t in = config.channels;
        for (size_t i = 0; i < std::size(kLayers); ++i) {
          const Layer& l = kLayers[i];
          const ops::Conv2dOptions window = {.stride = {l.stride, l.stride}, .padding = {l.padding, l.padding}};
          out.emplace_back(scope / l.name, in, config.widths[i],
                           nn::Conv2d::Options{.kernel = l.kernel, .window = window, .bias = true});
          in = config.widths[i];
        }
        return out;
      }()),
      fc1_(scope / "classifier.1", features(config), config.hidden),
      fc2_(scope / "classifier.4", config.hidden, config.hidden),
      fc3_(scope / "classifier.6", config.hidden, label_count(config)),
      first_{config.dropout, scope.next_site()},
      second_{config.dropout, scope.next_site()} {}

Tensor AlexNet::image_logits(const Tensor& pixels, const nn::Mode& mode) const {
  Tensor x = ops::cast(pixels, mode.dtype);
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    x = ops::relu(convolutions_[i](x));
    if (kLayers[i].pooled) x = ops::max_pool2d(x, {.kernel = {3, 3}, .stride = {2, 2}});
  }
  if (x.dim(1) != kSide || x.dim(2) != kSide) {
    throw UserError("alexnet", "expected images of 223 to 254 pixels a side, got " + std::to_string(pixels.dim(1)) +
                                   " x " + std::to_string(pixels.dim(2)));
  }
  x = ops::reshape(ops::channels_first(x), {x.dim(0), kSide * kSide * x.dim(3)});  // the order of PyTorch's flatten
  x = ops::relu(fc1_(first_(x, mode)));
  x = ops::relu(fc2_(second_(x, mode)));
  return ops::cast(fc3_(x), DType::f32);
}

namespace {

class AlexNetFamily final : public Family {
 public:
  explicit AlexNetFamily(AlexNetConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    check_image_head("AlexNet", head);
    return std::make_unique<AlexNet>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("AlexNet") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    const bool convolution = parameter.starts_with("features") && parameter.ends_with("weight");
    return {.names = {parameter},
            .may_be_new = parameter.starts_with("classifier.6"),
            .axes = convolution ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  AlexNetConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_alexnet(const Json& json, const std::string& where) {
  AlexNetConfig config;
  read_image_config(json, where, config);
  if (json.contains("num_channels")) config.channels = config_size(json, "num_channels", 1, where);
  if (json.contains("hidden_sizes")) config.widths = config_widths(json, "hidden_sizes", where);
  if (json.contains("intermediate_size")) config.hidden = config_size(json, "intermediate_size", 1, where);
  if (config.widths.size() != std::size(kLayers)) {
    throw UserError(where, "expected five \"hidden_sizes\", got " + std::to_string(config.widths.size()));
  }
  config.dropout = config_probability(json, "dropout", 0.5, where);
  return std::make_unique<AlexNetFamily>(std::move(config));
}

}  // namespace suanli::models
