/// The options of a run that trains adapters, by TRL's names; internal to train/.
#pragma once

#include <vector>

#include "base/option.h"

namespace suanli {

std::vector<Option> lora_options();

}  // namespace suanli
