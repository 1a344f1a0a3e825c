#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quantize_rows.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <bit>
#include <limits>

#include "kernels/cpu/simd-inl.h"
#include "kernels/quantized_matmul.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

using I32 = hn::RebindToSigned<F32>;
using U8 = hn::Rebind<uint8_t, F32>;

/// The largest magnitude as the bits of an f32: NaN is above infinity, and infinity above all numbers.
template <class T>
HWY_INLINE uint32_t largest_magnitude(const T* x, int64_t width) {
  auto most = hn::Zero(I32());
  each_vector(width, [&](int64_t c, int64_t n)
                         SUANLI_INLINE { most = hn::Max(most, hn::BitCast(I32(), hn::Abs(load(x + c, n)))); });
  return static_cast<uint32_t>(hn::GetLane(hn::MaxOfLanes(I32(), most)));
}

/// The integer nearest to x * factor, in the low byte of each lane: 1.5 * 2^23 leaves an f32 no bits behind the point.
HWY_INLINE hn::Vec<U8> nearest_bytes(Vector x, Vector factor) {
  const Vector shifted = hn::MulAdd(x, factor, hn::Set(F32(), 0x1.8p23F));
  return hn::TruncateTo(U8(), hn::BitCast(U32(), shifted));
}

template <class T>
HWY_INLINE void quantize_row(const T* x, int64_t width, int8_t* values, float* scale) {
  constexpr uint32_t kInfinity = 0x7f800000;
  const uint32_t bits = largest_magnitude(x, width);
  const float most = std::bit_cast<float>(bits);
  if (bits >= kInfinity || most < 0x1p-100F) {
    *scale = bits >= kInfinity ? std::numeric_limits<float>::quiet_NaN() : 0.0F;
    std::memset(values, 0, static_cast<size_t>(width));
    return;
  }
  *scale = most / 127.0F;
  const Vector inverse = hn::Set(F32(), 127.0F / most);
  each_vector(width, [&](int64_t c, int64_t n) SUANLI_INLINE {
    const auto bytes = nearest_bytes(load(x + c, n), inverse);
    if (HWY_LIKELY(n == lane_count())) {
      hn::StoreU(bytes, U8(), reinterpret_cast<uint8_t*>(values + c));
      return;
    }
    HWY_ALIGN uint8_t buffer[HWY_MAX_BYTES / sizeof(float)];
    hn::StoreU(bytes, U8(), buffer);
    std::memcpy(values + c, buffer, static_cast<size_t>(n));
  });
}

template <class T>
void quantize_as(const QuantizeRows& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    quantize_row(static_cast<const T*>(a.x) + r * a.width, a.width, a.values + r * a.width, a.scale + r);
  }
}

void quantize_rows_range(const QuantizeRows& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? quantize_as<float>(a, begin, end) : quantize_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(quantize_rows_range);

void add_quantize_rows() {
  constexpr int64_t kGrain = int64_t{1} << 16;  // elements
  quantize_rows.add({"simd", DeviceType::cpu,
                     [](const QuantizeRows& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                     [](const QuantizeRows& a, Stream&) {
                       parallel_for(a.rows, kGrain / (a.width + 1), [&](int64_t begin, int64_t end) {
                         HWY_DYNAMIC_DISPATCH(quantize_rows_range)(a, begin, end);
                       });
                     }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
