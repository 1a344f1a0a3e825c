/// The two-way table between this engine's parameter names and Hugging Face's.
#pragma once

#include <string>
#include <vector>

#include "models/bert/config.h"

namespace suanli::models {

/// Hugging Face's names of parameter `name`, whose rows stacked in order are ours (queries, keys and values are one
/// matrix here). Names of the body carry no prefix; see body_prefix.
struct HuggingFaceNames {
  std::vector<std::string> names;
  bool body = true;  ///< part of the encoder: carries body_prefix in a model with a head
};
HuggingFaceNames hugging_face_names(BertFamily family, const std::string& name);

/// "bert.", "roberta." or "distilbert.".
std::string body_prefix(BertFamily family);

/// True for tensors of a checkpoint that any model of the family may leave unused: other heads, the pooler, position
/// ids and copies of tied weights.
bool may_be_unused(BertFamily family, const std::string& hugging_face_name);

}  // namespace suanli::models
