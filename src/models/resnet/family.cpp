#include "models/resnet/family.h"

#include "models/image_labels.h"
#include "models/resnet/resnet.h"

namespace suanli::models {
namespace {

enum class Naming { hugging_face, torchvision, cifar };

/// Cuts `prefix` off the front of `text`, if it is there.
bool cut(std::string& text, const std::string& prefix) {
  if (!text.starts_with(prefix)) return false;
  text.erase(0, prefix.size());
  return true;
}

/// Our names are torchvision's: "layer1.0.conv2.weight" is "encoder.stages.0.layers.0.layer.1.convolution.weight".
std::string hugging_face_name(const std::string& ours) {
  std::string rest = ours;
  if (cut(rest, "fc.")) return "classifier.1." + rest;
  if (cut(rest, "conv1.")) return "embedder.embedder.convolution." + rest;
  if (cut(rest, "bn1.")) return "embedder.embedder.normalization." + rest;
  cut(rest, "layer");
  const size_t dot = rest.find('.'), next = rest.find('.', dot + 1);
  const std::string stage = std::to_string(std::stoi(rest.substr(0, dot)) - 1);
  const std::string block = "encoder.stages." + stage + ".layers." + rest.substr(dot + 1, next - dot - 1) + ".";
  rest.erase(0, next + 1);
  if (cut(rest, "downsample.0.")) return block + "shortcut.convolution." + rest;
  if (cut(rest, "downsample.1.")) return block + "shortcut.normalization." + rest;
  const bool convolution = cut(rest, "conv");
  if (!convolution) cut(rest, "bn");
  const std::string number = std::to_string(std::stoi(rest) - 1), last = rest.substr(rest.find('.') + 1);
  return block + "layer." + number + (convolution ? ".convolution." : ".normalization.") + last;
}

class ResNetFamily final : public Family {
 public:
  ResNetFamily(ResNetConfig config, Naming naming) : config_(std::move(config)), naming_(naming) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    check_image_head("a ResNet", head);
    return std::make_unique<ResNet>(scope, config_);
  }
  std::unique_ptr<ImageBody> image_body(nn::ParameterScope scope, int64_t stages) const override {
    check_stages(stages, config_.depths.size());
    ResNetConfig part = config_;
    part.depths.resize(static_cast<size_t>(stages));
    part.widths.resize(static_cast<size_t>(stages));
    return std::make_unique<ResNetBody>(scope, part);
  }
  std::string architecture(Head head) const override { return std::string("ResNet") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    const bool head = parameter.starts_with("fc.");
    const bool convolution =
        parameter.find("conv") != std::string::npos || parameter.find("downsample.0") != std::string::npos;
    std::string name = parameter;
    if (naming_ == Naming::hugging_face) name = hugging_face_name(parameter);
    if (naming_ == Naming::cifar && head) name = "linear" + parameter.substr(2);
    return {
        .names = {name}, .body = !head, .may_be_new = head, .axes = convolution ? nn::kConv2dAxes : std::vector<int>{}};
  }
  std::string body_prefix() const override { return naming_ == Naming::hugging_face ? "resnet." : ""; }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  ResNetConfig config_;
  Naming naming_;
};

Naming naming_of(const Json& json, const std::string& where, const ResNetConfig& config) {
  if (config.cifar) return Naming::cifar;
  return torchvision_names(json, where) ? Naming::torchvision : Naming::hugging_face;
}

}  // namespace

std::unique_ptr<Family> read_resnet(const Json& json, const std::string& where) {
  ResNetConfig config = resnet_config(json, where);
  const Naming naming = naming_of(json, where, config);
  return std::make_unique<ResNetFamily>(std::move(config), naming);
}

}  // namespace suanli::models
