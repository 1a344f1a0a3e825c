#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/layer_norm_backward.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/philox-inl.h"
#include "kernels/cpu/scratch.h"
#include "kernels/layer_norm.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// The rows of one block. Adds dy * n and dy to `partial` ([2, width]; null: not wanted).
template <class T, class W>
void backward_as(const LayerNormBackward& a, int64_t begin, int64_t end, float* partial) {
  const int64_t width = a.width;
  float* factors = local_scratch().get<float>(width + kDropoutSlack);
  const W* weight = static_cast<const W*>(a.weight);
  const DropoutFactors dropout_factors(a.dropout);
  const bool drops = a.dropout.probability > 0 && a.dx != nullptr;
  if (partial != nullptr) std::memset(partial, 0, static_cast<size_t>(2 * width) * sizeof(float));
  for (int64_t r = begin; r < end; ++r) {
    const T *dy = static_cast<const T*>(a.dy) + r * width, *sum = static_cast<const T*>(a.sum) + r * width;
    const Vector center = hn::Set(F32(), static_cast<const float*>(a.mean)[r]);
    const Vector rstd = hn::Set(F32(), static_cast<const float*>(a.rstd)[r]);
    const auto normalised = [&](int64_t c, int64_t n)
                                SUANLI_INLINE { return hn::Mul(hn::Sub(load(sum + c, n), center), rstd); };
    Vector sum_g = hn::Zero(F32()), sum_gn = hn::Zero(F32());
    each_vector(width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector d = load(dy + c, n), normal = normalised(c, n), g = hn::Mul(d, load(weight + c, n));
      sum_g = hn::Add(sum_g, g);
      sum_gn = hn::MulAdd(g, normal, sum_gn);
      if (partial != nullptr) {
        store(hn::MulAdd(d, normal, load(partial + c, n)), partial + c, n);
        store(hn::Add(d, load(partial + width + c, n)), partial + width + c, n);
      }
    });
    const float share = 1.0F / static_cast<float>(width);
    const Vector mean_g = hn::Set(F32(), sum_of(sum_g) * share), mean_gn = hn::Set(F32(), sum_of(sum_gn) * share);
    T* dx = a.dx == nullptr ? nullptr : static_cast<T*>(a.dx) + r * width;
    T* dresidual = a.dresidual == nullptr ? nullptr : static_cast<T*>(a.dresidual) + r * width;
    const float* f = drops ? dropout_factors(static_cast<uint64_t>(r * width), width, factors) : nullptr;
    each_vector(width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      const Vector normal = normalised(c, n), g = hn::Mul(load(dy + c, n), load(weight + c, n));
      const Vector dsum = hn::Mul(rstd, hn::NegMulAdd(normal, mean_gn, hn::Sub(g, mean_g)));
      if (dresidual != nullptr) store(dsum, dresidual + c, n);
      if (dx != nullptr) store(drops ? hn::Mul(dsum, load(f + c, n)) : dsum, dx + c, n);
    });
  }
}

void layer_norm_backward_block(const LayerNormBackward& a, int64_t begin, int64_t end, float* partial) {
  if (a.dtype == DType::f32) return backward_as<float, float>(a, begin, end, partial);
  if (a.weight_dtype == DType::f32) return backward_as<bfloat16, float>(a, begin, end, partial);
  backward_as<bfloat16, bfloat16>(a, begin, end, partial);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/combine.h"
#include "kernels/cpu/row_blocks.h"

namespace suanli::kernels {
HWY_EXPORT(layer_norm_backward_block);

namespace {
void run_backward(const LayerNormBackward& a, Stream&) {
  const RowBlocks blocks(a.rows);
  const bool sums = a.dweight != nullptr || a.dbias != nullptr;
  float* partial = sums ? shared_scratch().get<float>(blocks.count * 2 * a.width + 2 * a.width) : nullptr;
  parallel_for(blocks.count, (int64_t{1} << 14) / (blocks.size * a.width + 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      HWY_DYNAMIC_DISPATCH(layer_norm_backward_block)
      (a, blocks.begin(b), blocks.end(b), sums ? partial + b * 2 * a.width : nullptr);
    }
  });
  if (!sums) return;
  float* both = partial + blocks.count * 2 * a.width;
  combine_row_blocks(partial, blocks.count, 2 * a.width, both);
  if (a.dweight != nullptr) std::copy_n(both, a.width, static_cast<float*>(a.dweight));
  if (a.dbias != nullptr) std::copy_n(both + a.width, a.width, static_cast<float*>(a.dbias));
}
}  // namespace

void add_layer_norm_backward() {
  layer_norm_backward.add({"simd", DeviceType::cpu,
                           [](const LayerNormBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                           run_backward});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
