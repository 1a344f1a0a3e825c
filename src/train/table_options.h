/// The options of a run over tables and series; internal to train/.
#pragma once

#include <vector>

#include "base/option.h"

namespace suanli {

std::vector<Option> table_options();

}  // namespace suanli
