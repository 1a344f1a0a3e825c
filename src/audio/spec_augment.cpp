#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "audio/features.h"

namespace suanli {
namespace {

constexpr uint32_t kSpecAugmentSite = 0xDA7A0022;

/// Which of `count` positions stretches of `length` cover.
std::vector<bool> masked(int64_t count, double part, int64_t length, int64_t least, RandomGenerator& random) {
  std::vector<bool> result(static_cast<size_t>(count), false);
  const double chance = random.next_uniform();
  if (part <= 0 || length < 1 || length > count) return result;
  const double exact = part * static_cast<double>(count) / static_cast<double>(length);
  int64_t stretches = std::max(static_cast<int64_t>(exact + chance), least);
  stretches = std::min({stretches, count / length, count - length + 1});  // they could lie side by side
  std::vector<int64_t> starts(static_cast<size_t>(count - length + 1));
  std::iota(starts.begin(), starts.end(), 0);
  for (int64_t i = 0; i < stretches; ++i) {  // the first of a shuffle: distinct starts
    const auto left = static_cast<uint64_t>(starts.size()) - static_cast<uint64_t>(i);
    std::swap(starts[static_cast<size_t>(i)], starts[static_cast<size_t>(i) + random.below(left)]);
    const auto begin = result.begin() + starts[static_cast<size_t>(i)];
    std::fill(begin, begin + length, true);
  }
  return result;
}

}  // namespace

void spec_augment(AudioFeatures* f, const SpecAugmentOptions& o, RandomGenerator& random) {
  if (!o.apply_spec_augment) return;
  const auto times = masked(f->frames, o.mask_time_prob, o.mask_time_length, o.mask_time_min_masks, random);
  const auto bands = masked(f->width, o.mask_feature_prob, o.mask_feature_length, o.mask_feature_min_masks, random);
  for (int64_t t = 0; t < f->frames; ++t) {
    for (int64_t m = 0; m < f->width; ++m) {
      if (times[static_cast<size_t>(t)] || bands[static_cast<size_t>(m)]) f->row(t)[m] = 0;
    }
  }
}

RandomGenerator spec_augment_random(uint64_t seed, int64_t epoch, int64_t index) {
  return RandomGenerator({seed, static_cast<uint32_t>(epoch), kSpecAugmentSite}, static_cast<uint64_t>(index) << 20);
}

}  // namespace suanli
