#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rms_norm.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <cmath>

#include "kernels/cpu/simd-inl.h"
#include "kernels/rms_norm.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class T, class W>
void rms_norm_as(const RmsNormForward& a, int64_t begin, int64_t end) {
  const W* weight = static_cast<const W*>(a.weight);
  for (int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * a.width;
    T* y = static_cast<T*>(a.y) + r * a.width;
    const float mean = dot(x, x, a.width) / static_cast<float>(a.width);
    const auto rstd = static_cast<float>(1.0 / std::sqrt(static_cast<double>(mean) + a.eps));
    const Vector scale = hn::Set(F32(), rstd);
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      store(hn::Mul(hn::Mul(load(x + c, n), scale), load(weight + c, n)), y + c, n);
    });
    if (a.rstd != nullptr) static_cast<float*>(a.rstd)[r] = rstd;
  }
}
void rms_norm_forward_rows(const RmsNormForward& a, int64_t begin, int64_t end) {
  if (a.dtype == DType::f32) return rms_norm_as<float, float>(a, begin, end);
  if (a.weight_dtype == DType::f32) return rms_norm_as<bfloat16, float>(a, begin, end);
  rms_norm_as<bfloat16, bfloat16>(a, begin, end);
}

/// The rows of one block. Adds dy * n to `partial` [width] (null: not wanted).
template <class T, class W>
void rms_norm_gradient_as(const RmsNormBackward& a, int64_t begin, int64_t end, float* partial) {
  const W* weight = static_cast<const W*>(a.weight);
  if (partial != nullptr) std::memset(partial, 0, static_cast<size_t>(a.width) * sizeof(float));
  for (int64_t r = begin; r < end; ++r) {
    const T *dy = static_cast<const T*>(a.dy) + r * a.width, *x = static_cast<const T*>(a.x) + r * a.width;
    const Vector rstd = hn::Set(F32(), static_cast<const float*>(a.rstd)[r]);
    Vector sum_gn = hn::Zero(F32());
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector d = load(dy + c, n), normal = hn::Mul(load(x + c, n), rstd);
      sum_gn = hn::MulAdd(hn::Mul(d, load(weight + c, n)), normal, sum_gn);
      if (partial != nullptr) store(hn::MulAdd(d, normal, load(partial + c, n)), partial + c, n);
    });
    if (a.dx == nullptr) continue;
    T* dx = static_cast<T*>(a.dx) + r * a.width;
    const Vector mean_gn = hn::Set(F32(), sum_of(sum_gn) / static_cast<float>(a.width));
    each_vector(a.width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector g = hn::Mul(load(dy + c, n), load(weight + c, n)), normal = hn::Mul(load(x + c, n), rstd);
      store(hn::Mul(rstd, hn::NegMulAdd(normal, mean_gn, g)), dx + c, n);
    });
  }
}
void rms_norm_backward_block(const RmsNormBackward& a, int64_t begin, int64_t end, float* partial) {
  if (a.dtype == DType::f32) return rms_norm_gradient_as<float, float>(a, begin, end, partial);
  if (a.weight_dtype == DType::f32) return rms_norm_gradient_as<bfloat16, float>(a, begin, end, partial);
  rms_norm_gradient_as<bfloat16, bfloat16>(a, begin, end, partial);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/combine.h"
#include "kernels/cpu/row_blocks.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {
HWY_EXPORT(rms_norm_forward_rows);
HWY_EXPORT(rms_norm_backward_block);

namespace {
void run_rms_norm_backward(const RmsNormBackward& a, Stream&) {
  const RowBlocks blocks(a.rows);
  float* partial = a.dweight != nullptr ? shared_scratch().get<float>(blocks.count * a.width + 1) : nullptr;
  parallel_for(blocks.count, (int64_t{1} << 14) / (blocks.size * a.width + 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      HWY_DYNAMIC_DISPATCH(rms_norm_backward_block)
      (a, blocks.begin(b), blocks.end(b), partial == nullptr ? nullptr : partial + b * a.width);
    }
  });
  if (partial != nullptr) combine_row_blocks(partial, blocks.count, a.width, static_cast<float*>(a.dweight));
}
}  // namespace

void add_rms_norm() {
  rms_norm_forward.add({"simd", DeviceType::cpu,
                        [](const RmsNormForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                        [](const RmsNormForward& a, Stream&) {
                          parallel_for(a.rows, 16384 / (a.width + 1), [&](int64_t begin, int64_t end) {
                            HWY_DYNAMIC_DISPATCH(rms_norm_forward_rows)(a, begin, end);
                          });
                        }});
  rms_norm_backward.add({"simd", DeviceType::cpu,
                         [](const RmsNormBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                         run_rms_norm_backward});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
