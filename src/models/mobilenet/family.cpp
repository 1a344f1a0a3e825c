#include "models/mobilenet/family.h"

#include <numeric>

#include "models/image_labels.h"
#include "models/mobilenet/mobilenet.h"

namespace suanli::models {
namespace {

/// A parameter such as "block.3.depthwise.norm.bias" in its parts.
struct Place {
  int64_t block = -1;  ///< -1: outside the blocks
  std::string unit;    ///< "stem", "expand", "depthwise", "project", "last" or "classifier"
  bool norm = false;   ///< or else the convolution
  std::string tensor;  ///< "weight", "running_mean", ...
};

Place place_of(std::string name) {
  const auto first = [&name] {
    const size_t dot = name.find('.');
    std::string part = name.substr(0, dot);
    name.erase(0, dot + 1);
    return part;
  };
  Place place;
  place.unit = first();
  if (place.unit == "block") {
    place.block = std::stoll(first());
    place.unit = first();
  }
  if (place.unit != "classifier") place.norm = first() == "norm";
  place.tensor = name;
  return place;
}

/// features.0 is the stem; in a block of three layers the first two are modules of three, the last lies open.
std::string torchvision_name(const Place& p, const std::vector<InvertedResidualConfig>& blocks) {
  const auto outside = [&](size_t index) { return "features." + std::to_string(index) + (p.norm ? ".1." : ".0."); };
  if (p.unit == "classifier") return "classifier.1." + p.tensor;
  if (p.unit == "stem") return outside(0) + p.tensor;
  if (p.unit == "last") return outside(blocks.size() + 1) + p.tensor;
  const auto block = static_cast<size_t>(p.block);
  const int layer = (p.unit == "expand" ? 0 : p.unit == "depthwise" ? 1 : 2) - (blocks[block].expands ? 0 : 1);
  const std::string index =
      p.unit == "project" ? std::to_string(layer + (p.norm ? 1 : 0)) : std::to_string(layer) + (p.norm ? ".1" : ".0");
  return "features." + std::to_string(block + 1) + ".conv." + index + "." + p.tensor;
}

/// The first block, which does not expand, belongs to the stem.
std::string transformers_name(const Place& p) {
  if (p.unit == "classifier") return "classifier." + p.tensor;
  const std::string ending = (p.norm ? ".normalization." : ".convolution.") + p.tensor;
  if (p.unit == "stem") return "conv_stem.first_conv" + ending;
  if (p.unit == "last") return "conv_1x1" + ending;
  const std::string layer = p.unit == "expand" ? "expand_1x1" : p.unit == "depthwise" ? "conv_3x3" : "reduce_1x1";
  return (p.block == 0 ? "conv_stem." : "layer." + std::to_string(p.block - 1) + ".") + layer + ending;
}

std::string efficientnet_name(const Place& p) {
  if (p.unit == "classifier") return "_fc." + p.tensor;
  const auto either = [&](const char* conv, const char* norm) { return (p.norm ? norm : conv) + ("." + p.tensor); };
  if (p.unit == "stem") return either("_conv_stem", "_bn0");
  if (p.unit == "last") return either("_conv_head", "_bn1");
  return "_blocks." + std::to_string(p.block) + "." +
         (p.unit == "expand"      ? either("_expand_conv", "_bn0")
          : p.unit == "depthwise" ? either("_depthwise_conv", "_bn1")
                                  : either("_project_conv", "_bn2"));
}

class MobileNetFamily final : public Family {
 public:
  explicit MobileNetFamily(MobileNetConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    check_image_head("a MobileNet or EfficientNet", head);
    return std::make_unique<MobileNet>(scope, config_);
  }
  std::unique_ptr<ImageBody> image_body(nn::ParameterScope scope, int64_t stages) const override {
    const std::vector<size_t> sizes = stage_sizes(config_.blocks);
    check_stages(stages, sizes.size());
    MobileNetConfig part = config_;
    part.blocks.resize(std::accumulate(sizes.begin(), sizes.begin() + stages, size_t{0}));
    return std::make_unique<MobileNetBody>(scope, part);
  }
  std::string architecture(Head head) const override {
    const bool efficient = config_.naming == MobileNetNaming::efficientnet;
    return std::string(efficient ? "EfficientNetLite" : "MobileNetV2") + head_suffix(head);
  }
  StoredNames stored_names(const std::string& parameter) const override {
    const Place place = place_of(parameter);
    const bool head = place.unit == "classifier";
    return {.names = {config_.naming == MobileNetNaming::hugging_face  ? transformers_name(place)
                      : config_.naming == MobileNetNaming::torchvision ? torchvision_name(place, config_.blocks)
                                                                       : efficientnet_name(place)},
            .body = !head,
            .may_be_new = head,
            .axes = head || place.norm ? std::vector<int>{} : nn::kConv2dAxes};
  }
  std::string body_prefix() const override {
    return config_.naming == MobileNetNaming::hugging_face ? "mobilenet_v2." : "";
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  MobileNetConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_mobilenet(const Json& json, const std::string& where) {
  return std::make_unique<MobileNetFamily>(mobilenet_config(json, where));
}

}  // namespace suanli::models
