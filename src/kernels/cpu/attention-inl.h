// What both directions of attention share: the query block and the headers they need.
#if defined(SUANLI_KERNELS_CPU_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SUANLI_KERNELS_CPU_ATTENTION_INL_H_
#undef SUANLI_KERNELS_CPU_ATTENTION_INL_H_
#else
#define SUANLI_KERNELS_CPU_ATTENTION_INL_H_
#endif

#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/philox-inl.h"
#include "kernels/cpu/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Queries whose scores are held at a time: [kQueryBlock, keys] f32 fits the second-level cache up to 4096 keys.
inline constexpr int64_t kQueryBlock = 48;

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
