/// The two-way table between this engine's parameter names and Hugging Face's.
#pragma once

#include <string>

#include "models/bert/config.h"
#include "models/family.h"

namespace suanli::models {

/// Hugging Face's names of parameter `name` (queries, keys and values are one matrix here) without body_prefix.
StoredNames bert_stored_names(BertFamily family, const std::string& name);

/// "bert.", "roberta." or "distilbert.".
std::string body_prefix(BertFamily family);

/// True for tensors of a checkpoint that any model of the family may leave unused: other heads, the pooler, position
/// ids and copies of tied weights.
bool may_be_unused(BertFamily family, const std::string& hugging_face_name);

}  // namespace suanli::models
