#include "base/random.h"

#include <cmath>
#include <numbers>

namespace suanli {

uint32_t RandomGenerator::next() {
  if (used_ == 4) {
    words_ = philox(key_, index_++);
    used_ = 0;
  }
  return words_[used_++];
}

uint64_t RandomGenerator::below(uint64_t bound) {
  // Values under 2^64 mod bound would be drawn once too often: draw again.
  const uint64_t threshold = -bound % bound;
  for (;;) {
    const uint64_t high = next();
    const uint64_t value = high << 32 | next();
    if (value >= threshold) return value % bound;
  }
}

float RandomGenerator::next_normal() {
  const double u = (static_cast<double>(next()) + 0.5) * 0x1p-32, v = static_cast<double>(next()) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
}

}  // namespace suanli
