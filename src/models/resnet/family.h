/// Residual networks among the other families.
#pragma once

#include "models/family.h"

namespace suanli::models {

/// "resnet" with Hugging Face's names of tensors, or torchvision's where config.json says "weight_names":
/// "torchvision"; "resnet_cifar" with torchvision's, its classifier called "linear". Throws UserError as
/// resnet_config() does.
std::unique_ptr<Family> read_resnet(const Json& json, const std::string& where);

}  // namespace suanli::models
