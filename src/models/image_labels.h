/// What the configurations of classifiers of images share.
#pragma once

#include <string>

#include "models/config.h"

namespace suanli::models {

/// The file itself, its labels and its problem type. Throws UserError for labels that do not fit.
void read_image_config(const Json& json, const std::string& where, ModelConfig& config);

/// How many classes the classifier has. Throws UserError when config.json names none.
int64_t label_count(const ModelConfig& config);

/// Throws UserError unless the head is image_classification, the only one of `family`.
void check_image_head(const char* family, Head head);

}  // namespace suanli::models
