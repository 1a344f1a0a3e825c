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

/// Writes the factors of elements first, first + 1, ... (0 or 1 / (1 - p)) to `buffer` and returns where that of
/// `first` is. `buffer` holds count + kDropoutSlack floats.
/// Each 64-bit lane carries one word of one counter in its low half: the multiplication reads only that half, so the
/// upper half may hold anything until the words are joined at the end. Lanes 2j and 2j + 1 take counters j and
/// j + lanes / 2, which the interleaving then puts in rising order.
#if HWY_TARGET == HWY_SCALAR
inline const float* dropout_factors(const DropoutKey& key, uint64_t first, int64_t count, float* buffer) {
  for (int64_t i = 0; i < count; ++i) buffer[i] = dropout_factor(key, first + static_cast<uint64_t>(i));
  return buffer;
}
#else
using U64 = hn::Repartition<uint64_t, F32>;

HWY_INLINE const float* dropout_factors(const DropoutKey& key, uint64_t first, int64_t count,
                                        float* HWY_RESTRICT buffer) {
  const U64 d;
  const U32 d32;
  const auto half = hn::Set(d, hn::Lanes(d) / 2), one = hn::Set(d, 1), low = hn::Set(d, 0xffffffff);
  const auto lane = hn::Iota(d, 0);
  const auto place = hn::Add(hn::ShiftRight<1>(lane), hn::IfThenElseZero(hn::Eq(hn::And(lane, one), one), half));
  const auto multiply = [&](hn::Vec<U64> a, hn::Vec<U64> b)
                            SUANLI_INLINE { return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b)); };
  const auto m0 = hn::Set(d, 0xD2511F53), m1 = hn::Set(d, 0xCD9E8D57);
  const auto threshold = hn::Set(d32, dropout_threshold(key.probability));
  const Vector kept = hn::Set(F32(), 1.0F / (1.0F - key.probability));
  const int64_t skipped = static_cast<int64_t>(first % 4), words = 4 * static_cast<int64_t>(hn::Lanes(d));
  for (int64_t done = 0; done < skipped + count; done += words) {
    const auto index = hn::Add(hn::Set(d, (first + static_cast<uint64_t>(done)) / 4), place);
    auto c0 = index, c1 = hn::ShiftRight<32>(index), c2 = hn::Set(d, key.random.step), c3 = hn::Set(d, key.random.site);
    uint32_t k0 = static_cast<uint32_t>(key.random.seed), k1 = static_cast<uint32_t>(key.random.seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const auto p0 = multiply(c0, m0), p1 = multiply(c2, m1);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(d, k0));
      c1 = p1;
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(d, k1));
      c3 = p0;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    const auto w01 = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1)),
               w23 = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
    const auto factor = [&](hn::Vec<U64> pair) SUANLI_INLINE {
      const auto word = hn::BitCast(d32, pair);
      return hn::IfThenElseZero(hn::RebindMask(F32(), hn::Eq(hn::Max(word, threshold), word)), kept);
    };
    hn::StoreU(factor(hn::InterleaveLower(d, w01, w23)), F32(), buffer + done);
    hn::StoreU(factor(hn::InterleaveUpper(d, w01, w23)), F32(), buffer + done + words / 2);
  }
  return buffer + skipped;
}
#endif  // HWY_TARGET

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
