#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_loss.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include <cmath>

#include "kernels/cpu/math-inl.h"
#include "kernels/loss.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class T>
void backward_as(const PointwiseLossBackward& a, int64_t begin, int64_t end) {
  const T* x = static_cast<const T*>(a.x) + begin;
  const float* target = static_cast<const float*>(a.target) + begin;
  T* dx = static_cast<T*>(a.dx) + begin;
  const double weight = static_cast<double>(*static_cast<const float*>(a.dloss)) * a.scale;
  if (a.kind == PointwiseLoss::mse) {
    const Vector factor = hn::Set(F32(), static_cast<float>(2 * weight));
    each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
      store(hn::Mul(hn::Sub(load(x + i, n), load(target + i, n)), factor), dx + i, n);
    });
  } else if (a.kind == PointwiseLoss::l1) {
    const Vector factor = hn::Set(F32(), static_cast<float>(weight)), zero = hn::Zero(F32());
    each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
      const Vector d = hn::Sub(load(x + i, n), load(target + i, n));
      const Vector at_most_zero = hn::IfThenElse(hn::Lt(d, zero), hn::Neg(factor), hn::Mul(d, factor));  // NaN stays
      store(hn::IfThenElse(hn::Gt(d, zero), factor, at_most_zero), dx + i, n);
    });
  } else if (a.kind == PointwiseLoss::smooth_l1) {
    const Vector factor = hn::Set(F32(), static_cast<float>(weight));
    const Vector beta = hn::Set(F32(), static_cast<float>(a.beta));
    each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
      const Vector difference = hn::Sub(load(x + i, n), load(target + i, n));
      store(hn::Mul(hn::Div(difference, hn::Max(hn::Abs(difference), beta)), factor), dx + i, n);
    });
  } else {
    const Vector factor = hn::Set(F32(), static_cast<float>(weight));
    each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE {
      store(hn::Mul(hn::Sub(sigmoid(load(x + i, n)), load(target + i, n)), factor), dx + i, n);
    });
  }
}
void pointwise_loss_backward_range(const PointwiseLossBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? backward_as<float>(a, begin, end) : backward_as<bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {
HWY_EXPORT(pointwise_loss_backward_range);

namespace {
double loss_of(const PointwiseLossForward& a, double x, double target) {
  const double size = std::fabs(x - target);
  if (a.kind == PointwiseLoss::mse) return size * size;
  if (a.kind == PointwiseLoss::l1) return size;
  if (a.kind == PointwiseLoss::smooth_l1) return size < a.beta ? size * size / (2 * a.beta) : size - a.beta / 2;
  return std::fmax(x, 0.0) - x * target + std::log1p(std::exp(-std::fabs(x)));
}

/// Blocks of fixed size summed in f64, then together in their order.
template <class T>
void forward_as(const PointwiseLossForward& a) {
  constexpr int64_t kBlock = 2048;
  const int64_t blocks = (a.count + kBlock - 1) / kBlock;
  double* sums = shared_scratch().get<double>(blocks + 1);
  parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      sums[b] = 0;
      for (int64_t i = b * kBlock; i < std::min(a.count, (b + 1) * kBlock); ++i) {
        const float x = static_cast<float>(static_cast<const T*>(a.x)[i]);
        sums[b] += loss_of(a, static_cast<double>(x), static_cast<double>(static_cast<const float*>(a.target)[i]));
      }
    }
  });
  double sum = 0;
  for (int64_t b = 0; b < blocks; ++b) sum += sums[b];
  *static_cast<float*>(a.loss) = static_cast<float>(a.scale * sum);
}
}  // namespace

void add_pointwise_loss() {
  pointwise_loss_forward.add(
      {"simd", DeviceType::cpu,
       [](const PointwiseLossForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
       [](const PointwiseLossForward& a, Stream&) {
         a.dtype == DType::f32 ? forward_as<float>(a) : forward_as<bfloat16>(a);
       }});
  pointwise_loss_backward.add(
      {"simd", DeviceType::cpu,
       [](const PointwiseLossBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
       [](const PointwiseLossBackward& a, Stream&) {
         parallel_for(a.count, 16384, [&](int64_t begin, int64_t end) {
           HWY_DYNAMIC_DISPATCH(pointwise_loss_backward_range)(a, begin, end);
         });
       }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
