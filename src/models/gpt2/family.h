/// GPT-2 as a family of models.
#pragma once

#include "models/family.h"

namespace suanli::models {

/// From a config.json with "model_type": "gpt2". Throws UserError naming `where`.
std::unique_ptr<Family> read_gpt2(const Json& json, const std::string& where);

}  // namespace suanli::models
