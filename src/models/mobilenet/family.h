/// Networks of inverted residuals among the other families.
#pragma once

#include "models/family.h"

namespace suanli::models {

/// "mobilenet_v2" with Hugging Face's names of tensors, or torchvision's where config.json says "weight_names":
/// "torchvision"; "efficientnet_lite" with those of the PyTorch port of EfficientNet. Throws UserError as
/// mobilenet_config() does.
std::unique_ptr<Family> read_mobilenet(const Json& json, const std::string& where);

}  // namespace suanli::models
