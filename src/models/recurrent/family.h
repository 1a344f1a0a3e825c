/// The recurrent models among the others.
#pragma once

#include "models/family.h"

namespace suanli::models {

/// LSTM, GRU and RNN. Throws UserError as recurrent_config() does.
std::unique_ptr<Family> read_recurrent(const Json& json, const std::string& where);

}  // namespace suanli::models
