/// Counted randomness: a value depends on (seed, step, site, index) alone, never on threads or the order of calls.
#pragma once

#include <array>
#include <cstdint>

namespace suanli {

/// Names one stream of random numbers: a run's seed, the optimizer (micro) step, and the place in the program.
struct RandomKey {
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t site = 0;
};

/// Philox4x32-10 (Salmon et al. 2011): four 32-bit words for one counter. Counter = (index low, index high, step,
/// site), key = seed. The same words on CPU and GPU.
constexpr std::array<uint32_t, 4> philox(const RandomKey& key, uint64_t index) {
  std::array<uint32_t, 4> c = {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), key.step, key.site};
  uint32_t k0 = static_cast<uint32_t>(key.seed), k1 = static_cast<uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

/// A 32-bit word as a number in [0, 1) with 24 bits.
inline float uniform(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Sequential draws from one key, for shuffles and initialisers.
class RandomGenerator {
 public:
  /// Begins at the counter `first`: generators of one key that begin far apart share no numbers.
  explicit RandomGenerator(RandomKey key, uint64_t first = 0) : key_(key), index_(first) {}
  uint32_t next();
  /// A uniform integer in [0, bound), without modulo bias; bound >= 1.
  uint64_t below(uint64_t bound);
  /// A uniform number in [0, 1) with 24 bits.
  float next_uniform() { return uniform(next()); }
  /// A standard normal number (Box and Muller).
  float next_normal();

 private:
  RandomKey key_;
  uint64_t index_;
  int used_ = 4;
  std::array<uint32_t, 4> words_ = {};
};

}  // namespace suanli
