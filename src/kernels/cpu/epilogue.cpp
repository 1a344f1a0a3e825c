#include "kernels/cpu/epilogue.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/epilogue.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/activation_sums.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class B>
HWY_INLINE void add_bias(const B* bias, int64_t columns, float* c) {
  each_vector(columns,
              [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Add(load(c + i, n), load(bias + i, n)), c + i, n); });
}

void finish_range(const Matmul& args, const Tile& range, bool adds_bias) {
  const int64_t n = range.column_begin, columns = range.column_end - n;
  const Epilogue& epilogue = args.epilogue;
  for (int64_t m = range.row_begin; m < range.row_end; ++m) {
    const int64_t at = m * args.n + n;
    float* c = static_cast<float*>(args.c) + at;
    if (adds_bias && args.bias != nullptr) {
      args.bias_dtype == DType::f32 ? add_bias(static_cast<const float*>(args.bias) + n, columns, c)
                                    : add_bias(static_cast<const bfloat16*>(args.bias) + n, columns, c);
    }
    if (epilogue.activation) {
      float* slope = epilogue.slope == nullptr ? nullptr : static_cast<float*>(epilogue.slope) + at;
      activate_sums(*epilogue.activation, c, slope, columns);
    }
    if (epilogue.factor != nullptr) {
      const float* factor = static_cast<const float*>(epilogue.factor) + at;
      each_vector(columns, [&](int64_t i, int64_t count) SUANLI_INLINE {
        store(hn::Mul(load(c + i, count), load(factor + i, count)), c + i, count);
      });
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace suanli::kernels {
HWY_EXPORT(finish_range);

void finish_f32(const Matmul& args, const Tile& range, bool adds_bias) {
  if ((!adds_bias || args.bias == nullptr) && args.epilogue.empty()) return;
  HWY_DYNAMIC_DISPATCH(finish_range)(args, range, adds_bias);
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
