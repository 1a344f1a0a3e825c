/// Dropout by counted randomness: the mask of element i is a function of (key, i) alone and is never stored.
#pragma once

#include "base/random.h"

namespace suanli::kernels {

/// Element i is kept when word i % 4 of philox(key, i / 4) is at least round(probability * 2^32); a kept element is
/// multiplied by 1 / (1 - probability).
struct DropoutKey {
  float probability = 0;  ///< 0 <= probability < 1; 0 switches it off
  RandomKey random;
  /// Where kernels of a device read the step instead of in `random`: recorded once, they run in many steps. Null on the
  /// CPU.
  const uint32_t* step_on_device = nullptr;
};

/// The smallest word that is kept.
constexpr uint32_t dropout_threshold(float probability) {
  return static_cast<uint32_t>(static_cast<double>(probability) * 4294967296.0 + 0.5);
}

/// The factor of element `index`: 0 or 1 / (1 - probability).
inline float dropout_factor(const DropoutKey& key, uint64_t index) {
  const uint32_t word = philox(key.random, index / 4)[index % 4];
  return word >= dropout_threshold(key.probability) ? 1.0F / (1.0F - key.probability) : 0.0F;
}

}  // namespace suanli::kernels
