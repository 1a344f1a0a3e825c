#include "models/backbone.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"

namespace suanli::models {

void load_backbone(const Model& model, const std::filesystem::path& folder) {
  static const std::string kBackbone = "backbone.body.";
  const Model classifier = load_model(folder, {.head = Head::image_classification});
  size_t copied = 0;
  const auto copy = [&](const std::vector<nn::Parameter>& to, const std::vector<nn::Parameter>& from) {
    for (const nn::Parameter& parameter : to) {
      if (!parameter.name.starts_with(kBackbone)) continue;
      const std::string name = parameter.name.substr(kBackbone.size());
      const auto source = std::ranges::find(from, name, &nn::Parameter::name);
      if (source == from.end() || source->value.shape() != parameter.value.shape()) {
        throw UserError(folder.string(), concat("expected the classifier that \"backbone_config\" says, with ", name,
                                                " ", parameter.value.shape().text(), ", got ",
                                                source == from.end() ? "none" : source->value.shape().text()));
      }
      parameter.value.copy_from(source->value.on(parameter.value.device()));
      ++copied;
    }
  };
  copy(model.parameters->all(), classifier.parameters->all());
  copy(model.parameters->buffers(), classifier.parameters->buffers());
  if (copied == 0) throw UserError("backbone_name_or_path", "expected a detector with a backbone, got another model");
}

}  // namespace suanli::models
