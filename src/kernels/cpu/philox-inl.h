// Dropout factors by vectorised Philox4x32-10: the same words as philox() in base/random.h.
#if defined(SUANLI_KERNELS_CPU_PHILOX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SUANLI_KERNELS_CPU_PHILOX_INL_H_
#undef SUANLI_KERNELS_CPU_PHILOX_INL_H_
#else
#define SUANLI_KERNELS_CPU_PHILOX_INL_H_
#endif

#include "kernels/cpu/simd-inl.h"
#include "kernels/dropout_key.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// What a call of dropout_factors may write beyond the elements asked for.
inline constexpr int64_t kDropoutSlack = 2 * HWY_MAX_BYTES / sizeof(float) + 4;

#if HWY_TARGET == HWY_SCALAR
class DropoutFactors {
 public:
  explicit DropoutFactors(const DropoutKey& key) : key_(key) {}
  const float* operator()(uint64_t first, int64_t count, float* buffer) const {
    for (int64_t i = 0; i < count; ++i) buffer[i] = dropout_factor(key_, first + static_cast<uint64_t>(i));
    return buffer;
  }

 private:
  const DropoutKey& key_;
};
#else
using U64 = hn::Repartition<uint64_t, F32>;

/// The key schedule as vectors, so that a loop over rows builds it once.
/// Each 64-bit lane carries one word of one counter in its low half: the multiplication reads only that half, so the
/// upper half may hold anything until the words are joined at the end. Lanes 2j and 2j + 1 take counters j and
/// j + lanes / 2, which the interleaving then puts in rising order.
class DropoutFactors {
 public:
  explicit DropoutFactors(const DropoutKey& key) : key_(key) {
    uint32_t k0 = static_cast<uint32_t>(key.random.seed), k1 = static_cast<uint32_t>(key.random.seed >> 32);
    for (int64_t round = 0; round < kRounds; ++round, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
      hn::StoreU(hn::Set(U64(), k0), U64(), keys_ + 2 * round * kLanes);
      hn::StoreU(hn::Set(U64(), k1), U64(), keys_ + (2 * round + 1) * kLanes);
    }
  }

  /// Writes the factors of elements first, first + 1, ... (0 or 1 / (1 - p)) to `buffer`, which holds
  /// count + kDropoutSlack floats, and returns where that of `first` is.
  HWY_INLINE const float* operator()(uint64_t first, int64_t count, float* HWY_RESTRICT buffer) const {
    const U64 d;
    const U32 d32;
    const auto one = hn::Set(d, 1), low = hn::Set(d, 0xffffffff), lane = hn::Iota(d, 0);
    const auto odd = hn::Eq(hn::And(lane, one), one);
    const auto place = hn::Add(hn::ShiftRight<1>(lane), hn::IfThenElseZero(odd, hn::Set(d, hn::Lanes(d) / 2)));
    const auto multiply = [&](hn::Vec<U64> a, hn::Vec<U64> b)
                              SUANLI_INLINE { return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b)); };
    // The upper half of a product moved down; a shuffle, because shifts would compete with the multiplications.
    const auto upper = [&](hn::Vec<U64> p)
                           SUANLI_INLINE { return hn::BitCast(d, hn::Shuffle2301(hn::BitCast(d32, p))); };
    const auto m0 = hn::Set(d, 0xD2511F53), m1 = hn::Set(d, 0xCD9E8D57);
    const auto step = hn::Set(d, key_.random.step), site = hn::Set(d, key_.random.site);
    const auto threshold = hn::Set(d32, dropout_threshold(key_.probability));
    const Vector kept = hn::Set(F32(), 1.0F / (1.0F - key_.probability));
    const auto factor = [&](hn::Vec<U64> pair) SUANLI_INLINE {
      const auto word = hn::BitCast(d32, pair);
      return hn::IfThenElseZero(hn::RebindMask(F32(), hn::Eq(hn::Max(word, threshold), word)), kept);
    };
    const int64_t skipped = static_cast<int64_t>(first % 4), words = 4 * static_cast<int64_t>(hn::Lanes(d));
    for (int64_t done = 0; done < skipped + count; done += words) {
      const auto index = hn::Add(hn::Set(d, (first + static_cast<uint64_t>(done)) / 4), place);
      auto c0 = index, c1 = hn::ShiftRight<32>(index), c2 = step, c3 = site;
#pragma GCC unroll 10
      for (int64_t round = 0; round < kRounds; ++round) {
        const auto p0 = multiply(c0, m0), p1 = multiply(c2, m1);
        c0 = hn::Xor(hn::Xor(upper(p1), c1), hn::LoadU(d, keys_ + 2 * round * kLanes));
        c1 = p1;
        c2 = hn::Xor(hn::Xor(upper(p0), c3), hn::LoadU(d, keys_ + (2 * round + 1) * kLanes));
        c3 = p0;
      }
      const auto w01 = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1));
      const auto w23 = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
      hn::StoreU(factor(hn::InterleaveLower(d, w01, w23)), F32(), buffer + done);
      hn::StoreU(factor(hn::InterleaveUpper(d, w01, w23)), F32(), buffer + done + words / 2);
    }
    return buffer + skipped;
  }

 private:
  static constexpr int64_t kRounds = 10, kLanes = HWY_MAX_BYTES / sizeof(uint64_t);
  const DropoutKey& key_;
  HWY_ALIGN uint64_t keys_[2 * kRounds * kLanes];
};
#endif  // HWY_TARGET

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
