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

/// Turns a row of q . k into exp(scale * (q . k) - maximum); the sum of the exponentials and the maximum.
struct RowSum {
  float maximum, sum;
};
HWY_INLINE RowSum exponentiate(float* row, int64_t keys, float scale) {
  const Vector factor = hn::Set(F32(), scale), lowest = hn::Set(F32(), -HUGE_VALF);
  Vector high = lowest;
  each_vector(keys, [&](int64_t j, int64_t n)
                        SUANLI_INLINE { high = hn::Max(high, keep_first(hn::Mul(load(row + j), factor), n, lowest)); });
  const float maximum = max_of(high);
  const Vector top = hn::Set(F32(), maximum);
  Vector sum = hn::Zero(F32());
  each_vector(keys, [&](int64_t j, int64_t n) SUANLI_INLINE {
    const Vector e = keep_first(exp_negative(hn::MulSub(load(row + j), factor, top)), n, hn::Zero(F32()));
    store(e, row + j);
    sum = hn::Add(sum, e);
  });
  return {maximum, sum_of(sum)};
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
