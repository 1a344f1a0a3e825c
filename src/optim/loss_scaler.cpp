#include "optim/loss_scaler.h"

#include <algorithm>
#include <limits>

namespace suanli::optim {

void LossScaler::update(bool overflow) {
  if (overflow) {
    scale = std::max(kFloor, scale * kBackoffFactor);
    growth_tracker = 0;
  } else if (++growth_tracker == kGrowthInterval) {
    growth_tracker = 0;
    // The device holds it as f32.
    if (scale * kGrowthFactor <= static_cast<double>(std::numeric_limits<float>::max())) scale *= kGrowthFactor;
  }
}

}  // namespace suanli::optim
