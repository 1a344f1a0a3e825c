/// Dynamic loss scaling: gradients of f16 are computed of a scaled loss, so that small ones do not become zero.
#pragma once

#include <cstdint>

namespace suanli::optim {

/// torch.amp.GradScaler's rule and defaults (Micikevicius et al. 2018): a step whose gradients are not finite is left
/// out and the scale halved; after 2000 steps in a row that were not, it is doubled. Unlike there the scale stays at 1
/// or over: where an unscaled gradient overflows, no scale helps.
struct LossScaler {
  static constexpr double kGrowthFactor = 2, kBackoffFactor = 0.5, kFloor = 1;
  static constexpr int64_t kGrowthInterval = 2000;

  double scale = 65536;
  int64_t growth_tracker = 0;  ///< steps since the last change of the scale

  /// After each step: was it left out?
  void update(bool overflow);
  bool operator==(const LossScaler&) const = default;
};

}  // namespace suanli::optim
