#include "kernels/cpu/transpose.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/transpose.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/product-inl.h"
#include "kernels/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Rows [begin, end) of x by way of a strip as wide as a cache line, so that `out` is written in whole lines.
void transpose_range(const float* x, int64_t rows, int64_t columns, float* out, int64_t begin, int64_t end) {
  constexpr int64_t kStrip = 16;
  float* strip = local_scratch().get<float>(kStrip * columns);
  for (int64_t r = begin; r < end; r += kStrip) {
    const int64_t count = HWY_MIN(kStrip, end - r);
    transpose(x + r * columns, columns, count, columns, strip, kStrip);
    for (int64_t c = 0; c < columns; ++c) convert(strip + c * kStrip, out + c * rows + r, count);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"

namespace suanli::kernels {
HWY_EXPORT(transpose_range);

void transpose_f32(const float* x, int64_t rows, int64_t columns, float* out) {
  constexpr int64_t kRows = 64;
  parallel_for((rows + kRows - 1) / kRows, 1 + 32768 / (kRows * columns + 1), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(transpose_range)(x, rows, columns, out, begin * kRows, std::min(rows, end * kRows));
  });
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
