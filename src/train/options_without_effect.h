/// Options of Hugging Face's trainer that are taken and do nothing here.
#pragma once

#include <vector>

#include "base/config.h"

namespace suanli {

/// Those that mean something to PyTorch, the Hub or other trackers alone: run files that name them stay valid.
std::vector<Option> options_without_effect();

}  // namespace suanli
