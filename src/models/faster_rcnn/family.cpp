#include "models/faster_rcnn/family.h"

#include "base/error.h"
#include "models/faster_rcnn/faster_rcnn.h"

namespace suanli::models {
namespace {

const std::string kBody = "backbone.body.";

class FasterRcnnFamily final : public Family {
 public:
  FasterRcnnFamily(FasterRcnnConfig config, std::unique_ptr<Family> backbone)
      : config_(std::move(config)), backbone_(std::move(backbone)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    if (head != Head::object_detection) {
      throw UserError("model", "expected the task object-detection for Faster R-CNN, got another one");
    }
    auto body = backbone_->image_body(scope / "backbone.body", config_.returned_layers.back());
    return std::make_unique<FasterRcnn>(scope, config_, std::move(body));
  }
  std::string architecture(Head head) const override { return std::string("FasterRCNN") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    if (parameter.starts_with(kBody)) {
      StoredNames names = backbone_->stored_names(parameter.substr(kBody.size()));
      for (std::string& name : names.names) name.insert(0, kBody);
      return names;
    }
    const bool linear = parameter.starts_with("roi_heads.");
    const bool convolution = !linear && parameter.ends_with(".weight");
    return {.names = {parameter},
            .may_be_new = parameter.starts_with("roi_heads.box_predictor."),
            .axes = convolution ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  FasterRcnnConfig config_;
  std::unique_ptr<Family> backbone_;
};

}  // namespace

std::unique_ptr<Family> read_faster_rcnn(const Json& json, const std::string& where) {
  FasterRcnnConfig config = faster_rcnn_config(json, where);
  Json backbone = config.backbone;
  backbone.emplace("num_labels", 1);  // of the classifier that is left away
  if (backbone["model_type"] == "resnet") backbone["weight_names"] = "torchvision";
  auto family = read_family(backbone, where + " backbone_config");
  return std::make_unique<FasterRcnnFamily>(std::move(config), std::move(family));
}

}  // namespace suanli::models
