#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rotary_embedding.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/simd-inl.h"
#include "kernels/rotary_embedding.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class T>
void rotate_as(const RotaryEmbedding& a, int64_t begin, int64_t end) {
  const int64_t half = a.head_size / 2, rotated = a.heads * a.head_size;
  for (int64_t t = begin; t < end; ++t) {
    const T* x = static_cast<const T*>(a.x) + t * a.width;
    T* y = static_cast<T*>(a.y) + t * a.width;
    const float* cosines = static_cast<const float*>(a.table) + a.positions[t] * a.head_size;
    const float* sines = cosines + half;
    for (int64_t first = 0; first < rotated; first += a.head_size) {
      const T *low = x + first, *high = low + half;
      T *low_out = y + first, *high_out = low_out + half;
      each_vector(half, [&](int64_t i, int64_t n) SUANLI_INLINE {
        const Vector p = load(low + i, n), q = load(high + i, n), c = load(cosines + i, n);
        const Vector s = a.inverse ? hn::Neg(load(sines + i, n)) : load(sines + i, n);
        store(hn::NegMulAdd(s, q, hn::Mul(c, p)), low_out + i, n);
        store(hn::MulAdd(s, p, hn::Mul(c, q)), high_out + i, n);
      });
    }
    std::memcpy(static_cast<void*>(y + rotated), x + rotated, static_cast<size_t>(a.width - rotated) * sizeof(T));
  }
}
void rotate_rows(const RotaryEmbedding& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? rotate_as<float>(a, begin, end) : rotate_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(rotate_rows);

void add_rotary_embedding() {
  rotary_embedding.add({"simd", DeviceType::cpu,
                        [](const RotaryEmbedding& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                        [](const RotaryEmbedding& a, Stream&) {
                          parallel_for(a.tokens, 16384 / (a.width + 1), [&](int64_t begin, int64_t end) {
                            HWY_DYNAMIC_DISPATCH(rotate_rows)(a, begin, end);
                          });
                        }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
