/// Faster R-CNN among the other families.
#pragma once

#include "models/family.h"

namespace suanli::models {

/// "faster_rcnn" with torchvision's names of tensors, those of the backbone behind "backbone.body." as its own family
/// has them (of a resnet torchvision's). Throws UserError as faster_rcnn_config() does.
std::unique_ptr<Family> read_faster_rcnn(const Json& json, const std::string& where);

}  // namespace suanli::models
