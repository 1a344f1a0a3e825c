// Vectors of f32 over storage in f32 or bf16: loads, stores, tails and sums. Compiled once per instruction set.
#if defined(SUANLI_KERNELS_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SUANLI_KERNELS_CPU_SIMD_INL_H_
#undef SUANLI_KERNELS_CPU_SIMD_INL_H_
#else
#define SUANLI_KERNELS_CPU_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <cstring>

#include "tensor/dtype.h"

// Every lambda of a SIMD function carries this: it has the function's instruction set and vanishes into it.
#undef SUANLI_INLINE
#define SUANLI_INLINE HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using U32 = hn::RebindToUnsigned<F32>;
using U16 = hn::Rebind<uint16_t, F32>;
using Vector = hn::Vec<F32>;

HWY_INLINE int64_t lane_count() { return static_cast<int64_t>(hn::Lanes(F32())); }

HWY_INLINE Vector load(const float* p) { return hn::LoadU(F32(), p); }
HWY_INLINE Vector load(const bfloat16* p) {
  const auto bits = hn::PromoteTo(U32(), hn::LoadU(U16(), reinterpret_cast<const uint16_t*>(p)));
  return hn::BitCast(F32(), hn::ShiftLeft<16>(bits));
}

HWY_INLINE void store(Vector v, float* p) { hn::StoreU(v, F32(), p); }
/// Rounds to nearest even and keeps NaN, as bfloat16(float) does.
HWY_INLINE void store(Vector v, bfloat16* p) {
  const auto u = hn::BitCast(U32(), v);
  const auto odd = hn::And(hn::ShiftRight<16>(u), hn::Set(U32(), 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(u, hn::Set(U32(), 0x7fff)), odd));
  const auto quiet = hn::Or(hn::ShiftRight<16>(u), hn::Set(U32(), 0x40));
  const auto bits = hn::IfThenElse(hn::RebindMask(U32(), hn::IsNaN(v)), quiet, rounded);
  const hn::RebindToSigned<U32> i32;
  hn::StoreU(hn::DemoteTo(U16(), hn::BitCast(i32, bits)), U16(), reinterpret_cast<uint16_t*>(p));
}

/// The first n lanes from memory, 0 in the others; n = all lanes in the body of a loop, fewer in its tail.
template <class T>
HWY_INLINE Vector load(const T* p, int64_t n) {
  if (HWY_LIKELY(n == lane_count())) return load(p);
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(static_cast<void*>(buffer), p, static_cast<size_t>(n) * sizeof(T));
  return load(buffer);
}
/// The first n lanes to memory.
template <class T>
HWY_INLINE void store(Vector v, T* p, int64_t n) {
  if (HWY_LIKELY(n == lane_count())) {
    store(v, p);
    return;
  }
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)];
  store(v, buffer);
  std::memcpy(static_cast<void*>(p), buffer, static_cast<size_t>(n) * sizeof(T));
}

/// v in the first n lanes, `otherwise` in the rest.
HWY_INLINE Vector keep_first(Vector v, int64_t n, Vector otherwise) {
  return n == lane_count() ? v : hn::IfThenElse(hn::FirstN(F32(), static_cast<size_t>(n)), v, otherwise);
}

/// Calls f(i, n) for the vectors that start at element i = 0, lanes, 2 lanes, ...; n < lanes in the last of a row.
template <class F>
HWY_INLINE void each_vector(int64_t count, const F& f) {
  const int64_t lanes = lane_count();
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) f(i, lanes);
  if (i < count) f(i, count - i);
}

HWY_INLINE float sum_of(Vector v) { return hn::GetLane(hn::SumOfLanes(F32(), v)); }
HWY_INLINE float max_of(Vector v) { return hn::GetLane(hn::MaxOfLanes(F32(), v)); }

/// sum_c a[c] b[c]
template <class T>
HWY_INLINE float dot(const T* a, const T* b, int64_t width) {
  Vector sum = hn::Zero(F32());
  each_vector(width,
              [&](int64_t c, int64_t n) SUANLI_INLINE { sum = hn::MulAdd(load(a + c, n), load(b + c, n), sum); });
  return sum_of(sum);
}

/// n elements from one storage type to another.
template <class From, class To>
HWY_INLINE void convert(const From* x, To* y, int64_t n) {
  each_vector(n, [&](int64_t i, int64_t m) SUANLI_INLINE { store(load(x + i, m), y + i, m); });
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
