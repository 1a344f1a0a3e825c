#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rows.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/simd-inl.h"
#include "kernels/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class T>
void row_dot_as(const RowDot& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * a.width;
    Vector sum = hn::Zero(F32());
    if (a.z == nullptr) {
      each_vector(a.width, [&](int64_t i, int64_t n) SUANLI_INLINE { sum = hn::Add(sum, load(x + i, n)); });
    } else {
      const T* z = static_cast<const T*>(a.z) + r * a.width;
      each_vector(a.width,
                  [&](int64_t i, int64_t n) SUANLI_INLINE { sum = hn::MulAdd(load(x + i, n), load(z + i, n), sum); });
    }
    static_cast<T*>(a.y)[r] = T(sum_of(sum));
  }
}
void row_dot_range(const RowDot& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? row_dot_as<float>(a, begin, end) : row_dot_as<bfloat16>(a, begin, end);
}

template <class T>
void row_scale_as(const RowScale& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * a.width;
    T* y = static_cast<T*>(a.y) + r * a.width;
    const Vector factor = hn::Set(F32(), static_cast<float>(static_cast<const T*>(a.factor)[r]));
    each_vector(a.width, [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Mul(load(x + i, n), factor), y + i, n); });
  }
}
void row_scale_range(const RowScale& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? row_scale_as<float>(a, begin, end) : row_scale_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(row_dot_range);
HWY_EXPORT(row_scale_range);

void add_rows() {
  row_dot.add({"simd", DeviceType::cpu,
               [](const RowDot& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
               [](const RowDot& a, Stream&) {
                 parallel_for(a.rows, 32768 / (a.width + 1), [&](int64_t begin, int64_t end) {
                   HWY_DYNAMIC_DISPATCH(row_dot_range)(a, begin, end);
                 });
               }});
  row_scale.add({"simd", DeviceType::cpu,
                 [](const RowScale& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                 [](const RowScale& a, Stream&) {
                   parallel_for(a.rows, 32768 / (a.width + 1), [&](int64_t begin, int64_t end) {
                     HWY_DYNAMIC_DISPATCH(row_scale_range)(a, begin, end);
                   });
                 }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
