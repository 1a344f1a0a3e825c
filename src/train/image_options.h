/// The options of runs over pictures.
#pragma once

#include <vector>

#include "base/config.h"

namespace suanli {

/// Augmentation by the names and with the defaults of Ultralytics (see AugmentOptions).
std::vector<Option> image_options();

}  // namespace suanli
