#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/layer_norm_forward.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <cmath>

#include "kernels/cpu/philox-inl.h"
#include "kernels/cpu/scratch.h"
#include "kernels/layer_norm.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// row = residual + dropout(x) in f32, and its sum.
template <class T>
HWY_INLINE float add_residual(const LayerNormForward& a, const DropoutFactors& dropout_factors, int64_t r, float* row,
                              float* factors) {
  const T* x = static_cast<const T*>(a.x) + r * a.width;
  Vector total = hn::Zero(F32());
  if (a.residual == nullptr) {
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector v = load(x + c, n);
      store(v, row + c);
      total = hn::Add(total, v);
    });
    return sum_of(total);
  }
  const T* residual = static_cast<const T*>(a.residual) + r * a.width;
  T* sum = a.sum == nullptr ? nullptr : static_cast<T*>(a.sum) + r * a.width;
  const bool drops = a.dropout.probability > 0;
  const float* f = drops ? dropout_factors(static_cast<uint64_t>(r * a.width), a.width, factors) : nullptr;
  each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
    const Vector v = load(x + c, n), base = load(residual + c, n);
    const Vector s = drops ? hn::MulAdd(v, load(f + c, n), base) : hn::Add(v, base);
    store(s, row + c);
    if (sum != nullptr) store(s, sum + c, n);
    total = hn::Add(total, s);
  });
  return sum_of(total);
}

template <class T, class W>
void forward_as(const LayerNormForward& a, int64_t begin, int64_t end) {
  const int64_t padded = a.width + HWY_MAX_BYTES;
  float* row = local_scratch().get<float>(2 * padded + kDropoutSlack);
  const W *weight = static_cast<const W*>(a.weight), *bias = static_cast<const W*>(a.bias);
  const DropoutFactors dropout_factors(a.dropout);
  for (int64_t r = begin; r < end; ++r) {
    const float mean = add_residual<T>(a, dropout_factors, r, row, row + padded) / static_cast<float>(a.width);
    const Vector center = hn::Set(F32(), mean);
    Vector squares = hn::Zero(F32());
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector deviation = keep_first(hn::Sub(load(row + c), center), n, hn::Zero(F32()));
      squares = hn::MulAdd(deviation, deviation, squares);
    });
    const float variance = sum_of(squares) / static_cast<float>(a.width);
    const float rstd = static_cast<float>(1.0 / std::sqrt(static_cast<double>(variance) + a.eps));
    const Vector scale = hn::Set(F32(), rstd);
    T* y = static_cast<T*>(a.y) + r * a.width;
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector normal = hn::Mul(hn::Sub(load(row + c), center), scale);
      store(hn::MulAdd(normal, load(weight + c, n), load(bias + c, n)), y + c, n);
    });
    if (a.mean != nullptr) static_cast<float*>(a.mean)[r] = mean;
    if (a.rstd != nullptr) static_cast<float*>(a.rstd)[r] = rstd;
  }
}

void layer_norm_forward_rows(const LayerNormForward& a, int64_t begin, int64_t end) {
  if (a.dtype == DType::f32) return forward_as<float, float>(a, begin, end);
  if (a.weight_dtype == DType::f32) return forward_as<bfloat16, float>(a, begin, end);
  forward_as<bfloat16, bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(layer_norm_forward_rows);

void add_layer_norm_forward() {
  layer_norm_forward.add({"simd", DeviceType::cpu,
                          [](const LayerNormForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                          [](const LayerNormForward& a, Stream&) {
                            parallel_for(a.rows, 16384 / (a.width + 1), [&](int64_t begin, int64_t end) {
                              HWY_DYNAMIC_DISPATCH(layer_norm_forward_rows)(a, begin, end);
                            });
                          }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
