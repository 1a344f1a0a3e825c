/// The options of a run over interactions; internal to train/.
#pragma once

#include <vector>

#include "base/config.h"

namespace suanli {

std::vector<Option> recommendation_options();

}  // namespace suanli
