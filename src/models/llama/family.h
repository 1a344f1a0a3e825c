/// Llama as a family of models.
#pragma once

#include "models/family.h"

namespace suanli::models {

/// From a config.json with "model_type": "llama". Throws UserError naming `where`.
std::unique_ptr<Family> read_llama(const Json& json, const std::string& where);

}  // namespace suanli::models
