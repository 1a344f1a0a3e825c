/// What the configurations of classifiers of images share.
#pragma once

#include <string>

#include "models/config.h"

namespace suanli::models {

/// The file itself, its labels and its problem type. Throws UserError for labels that do not fit.
void read_image_config(const Json& json, const std::string& where, ModelConfig& config);

/// The list of integers in 1..2^20 at `key`. Throws UserError for others.
std::vector<int64_t> config_widths(const Json& json, const char* key, const std::string& where);

/// True where tensors have torchvision's names ("weight_names": "torchvision"), not transformers', as without that key.
/// Throws UserError for another value.
bool torchvision_names(const Json& json, const std::string& where);

/// Throws UserError unless a body has at least `wanted` stages.
void check_stages(int64_t wanted, size_t stages);

/// Throws UserError unless the head is image_classification, the only one of `family`.
void check_image_head(const char* family, Head head);

}  // namespace suanli::models
