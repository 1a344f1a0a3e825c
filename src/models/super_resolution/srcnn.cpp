#include "models/super_resolution/srcnn.h"

#include "base/concat.h"
#include "base/error.h"
#include "models/image_labels.h"
#include "ops/activation.h"
#include "ops/cast.h"

namespace suanli::models {
namespace {

nn::Conv2d::Options same_size(int64_t kernel) {
  return {.kernel = kernel, .window = {.padding = {kernel / 2, kernel / 2}}, .bias = true};
}

class SrcnnFamily final : public Family {
 public:
  explicit SrcnnFamily(SrcnnConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    check_super_resolution_head(head);
    return std::make_unique<Srcnn>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("Srcnn") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    return {.names = {parameter}, .axes = parameter.ends_with(".weight") ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  SrcnnConfig config_;
};

}  // namespace

Srcnn::Srcnn(nn::ParameterScope scope, const SrcnnConfig& config)
    : conv1_(scope / "conv1", config.channels, config.widths[0], same_size(config.kernels[0])),
      conv2_(scope / "conv2", config.widths[0], config.widths[1], same_size(config.kernels[1])),
      conv3_(scope / "conv3", config.widths[1], config.channels, same_size(config.kernels[2])) {}

Tensor Srcnn::enlarged_pixels(const Tensor& pixels, const nn::Mode& mode) const {
  const Tensor x = ops::relu(conv1_(ops::cast(pixels, mode.dtype)));
  return ops::cast(conv3_(ops::relu(conv2_(x))), DType::f32);
}

SrcnnConfig srcnn_config(const Json& json, const std::string& where) {
  SrcnnConfig config;
  read_super_resolution(json, where, config);
  config.enlarged_input = true;
  if (json.contains("kernel_sizes")) config.kernels = config_widths(json, "kernel_sizes", where);
  if (json.contains("hidden_sizes")) config.widths = config_widths(json, "hidden_sizes", where);
  if (config.kernels.size() != 3 || config.widths.size() != 2) {
    throw UserError(where, concat("expected three \"kernel_sizes\" and two \"hidden_sizes\", got ",
                                  config.kernels.size(), " and ", config.widths.size()));
  }
  for (const int64_t kernel : config.kernels) {
    if (kernel % 2 == 0 || kernel > 31) {
      throw UserError(where, concat("expected odd \"kernel_sizes\" of at most 31, got ", kernel));
    }
    config.reach += kernel / 2;
  }
  return config;
}

std::unique_ptr<Family> read_srcnn(const Json& json, const std::string& where) {
  return std::make_unique<SrcnnFamily>(srcnn_config(json, where));
}

}  // namespace suanli::models
