/// The BERT family among the others.
#pragma once

#include "models/family.h"

namespace suanli::models {

/// BERT (and MiniLM), RoBERTa, DistilBERT. Throws UserError as bert_config() does.
std::unique_ptr<Family> read_bert(const Json& json, const std::string& where);

}  // namespace suanli::models
