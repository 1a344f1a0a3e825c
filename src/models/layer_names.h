/// Tables of Hugging Face's names for families of numbered layers.
#pragma once

#include <string>
#include <vector>

#include "models/family.h"

namespace suanli::models {

/// A module path of ours and theirs; '#' stands for the number of a layer.
struct LayerName {
  const char* ours;
  std::vector<const char*> theirs;
  bool body = true;
};

/// The names of a parameter such as "layer.3.up.weight". A parameter without a row is our mistake.
StoredNames layer_names(const std::vector<LayerName>& table, const std::string& parameter);

}  // namespace suanli::models
