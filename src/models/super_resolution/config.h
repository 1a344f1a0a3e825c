/// What the networks that enlarge pictures share.
#pragma once

#include <string>

#include "models/config.h"

namespace suanli::models {

struct SuperResolutionConfig : ModelConfig {
  int64_t channels = 3;         ///< "num_channels": 1 or 3
  int64_t upscale = 2;          ///< 2, 3 or 4 (transformers' Swin2SR)
  int64_t reach = 0;            ///< how many pixels of its input around a pixel decide it
  bool enlarged_input = false;  ///< SRCNN gets pictures that bicubic resizing has enlarged, and is trained with MSE
};

/// That of any network that enlarges pictures. Throws UserError for another kind, and naming `where` and key.
SuperResolutionConfig super_resolution_config(const Json& json, const std::string& where);

/// What all of them have: channels and upscale. Throws UserError naming `where` and key.
void read_super_resolution(const Json& json, const std::string& where, SuperResolutionConfig& config);

/// Throws UserError unless the head is image_super_resolution.
void check_super_resolution_head(Head head);

}  // namespace suanli::models
