// What the attention kernels share: the query block, the softmax of a row and the dot product.
#if defined(SUANLI_KERNELS_CPU_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SUANLI_KERNELS_CPU_ATTENTION_INL_H_
#undef SUANLI_KERNELS_CPU_ATTENTION_INL_H_
#else
#define SUANLI_KERNELS_CPU_ATTENTION_INL_H_
#endif

#include <cmath>

#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/philox-inl.h"
#include "kernels/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Queries whose scores are held at a time: [kQueryBlock, keys] f32 fits the second-level cache up to 4096 keys.
inline constexpr int64_t kQueryBlock = 48;

/// Zeros in elements [begin, end) of a row: the weights of keys that take no part.
template <class T>
HWY_INLINE void clear(T* row, int64_t begin, int64_t end) {
  for (int64_t j = begin; j < end; ++j) row[j] = T(0.0F);
}

struct RowSum {
  float maximum, sum;
};
/// out[j] = f(j) e[j], e[j] = exp(scale * row[j] - maximum) for a row of q . k; the maximum of scale * row[j] and the
/// sum of e. factors null: f = 1. out may be row.
template <class T>
HWY_INLINE RowSum exponentiate(const float* row, int64_t keys, float scale, const float* factors, T* out) {
  const Vector unit = hn::Set(F32(), scale), lowest = hn::Set(F32(), -HUGE_VALF);
  Vector high = lowest;
  each_vector(keys, [&](int64_t j, int64_t n)
                        SUANLI_INLINE { high = hn::Max(high, keep_first(hn::Mul(load(row + j), unit), n, lowest)); });
  const float maximum = max_of(high);
  const Vector top = hn::Set(F32(), maximum);
  Vector sum = hn::Zero(F32());
  each_vector(keys, [&](int64_t j, int64_t n) SUANLI_INLINE {
    const Vector e = exp_negative(hn::MulSub(load(row + j), unit, top));
    store(factors == nullptr ? e : hn::Mul(e, load(factors + j)), out + j, n);
    sum = hn::Add(sum, keep_first(e, n, hn::Zero(F32())));
  });
  return {maximum, sum_of(sum)};
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
