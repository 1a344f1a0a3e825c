/// What the configurations of classifiers of images share.
#pragma once

#include <string>

#include "models/config.h"

namespace suanli::models {

/// The file itself, its labels and its problem type. Throws UserError for labels that do not fit.
void read_image_config(const Json& json, const std::string& where, ModelConfig& config);

/// Throws UserError unless the head is image_classification, the only one of `family`.
void check_image_head(const char* family, Head head);

}  // namespace suanli::models
