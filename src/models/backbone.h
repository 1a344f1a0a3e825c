/// Detectors that begin with what a classifier of pictures has learned.
#pragma once

#include <filesystem>

#include "models/load.h"

namespace suanli::models {

/// Copies the parameters and running averages of the classifier in `folder` into the backbone of `model`, those called
/// "backbone.body.". Throws UserError for a model without a backbone and for a classifier that lacks one of them or has
/// it in another shape.
void load_backbone(const Model& model, const std::filesystem::path& folder);

}  // namespace suanli::models
