#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/swiglu.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/math-inl.h"
#include "kernels/swiglu.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class T>
void swiglu_as(const SwigluForward& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T *gate = static_cast<const T*>(a.x) + r * 2 * a.width, *up = gate + a.width;
    T* y = static_cast<T*>(a.y) + r * a.width;
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector g = load(gate + c, n);
      store(hn::Mul(hn::Mul(g, sigmoid(g)), load(up + c, n)), y + c, n);
    });
  }
}
void swiglu_forward_rows(const SwigluForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? swiglu_as<float>(a, begin, end) : swiglu_as<bfloat16>(a, begin, end);
}

template <class T>
void swiglu_gradient_as(const SwigluBackward& a, int64_t begin, int64_t end) {
  const Vector one = constant(1.0F);
  for (int64_t r = begin; r < end; ++r) {
    const T *gate = static_cast<const T*>(a.x) + r * 2 * a.width, *up = gate + a.width;
    const T* dy = static_cast<const T*>(a.dy) + r * a.width;
    T *dgate = static_cast<T*>(a.dx) + r * 2 * a.width, *dup = dgate + a.width;
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector g = load(gate + c, n), u = load(up + c, n), d = load(dy + c, n), s = sigmoid(g);
      const Vector slope = hn::Mul(s, hn::MulAdd(g, hn::Sub(one, s), one));
      store(hn::Mul(hn::Mul(d, u), slope), dgate + c, n);
      store(hn::Mul(d, hn::Mul(g, s)), dup + c, n);
    });
  }
}
void swiglu_backward_rows(const SwigluBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? swiglu_gradient_as<float>(a, begin, end) : swiglu_gradient_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(swiglu_forward_rows);
HWY_EXPORT(swiglu_backward_rows);

void add_swiglu() {
  swiglu_forward.add({"simd", DeviceType::cpu,
                      [](const SwigluForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                      [](const SwigluForward& a, Stream&) {
                        parallel_for(a.rows, 8192 / (a.width + 1), [&](int64_t begin, int64_t end) {
                          HWY_DYNAMIC_DISPATCH(swiglu_forward_rows)(a, begin, end);
                        });
                      }});
  swiglu_backward.add({"simd", DeviceType::cpu,
                       [](const SwigluBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                       [](const SwigluBackward& a, Stream&) {
                         parallel_for(a.rows, 8192 / (a.width + 1), [&](int64_t begin, int64_t end) {
                           HWY_DYNAMIC_DISPATCH(swiglu_backward_rows)(a, begin, end);
                         });
                       }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
