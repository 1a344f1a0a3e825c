#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quantized_matmul_simd.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/activation_sums.h"
#include "kernels/cpu/quantized_tasks.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

inline constexpr int64_t kBlockRows = 4, kBlockSteps = 8;

#if HWY_TARGET == HWY_SCALAR

inline constexpr int64_t kVectors = 1, kSideVectors = 1;

template <int64_t kVectorsOfBlock>
HWY_INLINE int64_t block_columns() {
  return kSide;
}

/// The same sums without vectors.
template <int64_t kRows, int64_t kVectorsOfBlock>
HWY_NOINLINE void quantized_block(int64_t steps, const int16_t* a, int64_t a_stride, const int8_t* b, int64_t column,
                                  bool goes_on, int32_t* sums) {
  const QuantizedLayout layout{kSide, steps * QuantizedLayout::kDepth};
  for (int64_t m = 0; m < kRows; ++m) {
    for (int64_t n = column; n < column + block_columns<kVectorsOfBlock>(); ++n) {
      int32_t sum = goes_on ? sums[m * kSide + n] : 0;
      for (int64_t k = 0; k < layout.k; ++k) sum += a[m * a_stride + k] * b[layout.place(n, k)];
      sums[m * kSide + n] = sum;
    }
  }
}

#else

using I16 = hn::Repartition<int16_t, F32>;
using I32 = hn::RebindToSigned<F32>;
using I64 = hn::Repartition<int64_t, F32>;
using Bytes = hn::Rebind<int8_t, I16>;

/// The register block: kBlockRows rows times kVectors vectors. A vector of 16-bit numbers holds the quads of
/// lane_count() / 2 columns, kSideVectors of them those of a square.
#if HWY_TARGET == HWY_AVX3
inline constexpr int64_t kVectors = 4, kSideVectors = 4;
#else
inline constexpr int64_t kVectors = 2, kSideVectors = 8;
#endif

template <int64_t kVectorsOfBlock>
HWY_INLINE int64_t block_columns() {
  return kVectorsOfBlock * lane_count() / 2;
}

/// A sum stays where it is: without this GCC 12 multiplies a whole step ahead, runs out of registers and keeps one sum
/// in memory, whose way there and back is twice as long as all the rest of a quad.
HWY_INLINE void keep_in_register(hn::Vec<I32>& sum) { __asm__("" : "+x"(sum.raw)); }

/// sums[kRows, block_columns()] from `column` of the square on, or added to them where it `goes_on`. Both factors are
/// widened to 16 bits, whose products are added in pairs: two sums for each column, joined at the end.
template <int64_t kRows, int64_t kVectorsOfBlock>
HWY_NOINLINE void quantized_block(int64_t steps, const int16_t* a, int64_t a_stride, const int8_t* b, int64_t column,
                                  bool goes_on, int32_t* sums) {
  const int64_t columns = lane_count() / 2;
  const int8_t* right[kVectorsOfBlock];
  hn::Vec<I32> pairs[kRows][kVectorsOfBlock];
#pragma GCC unroll 8
  for (int64_t v = 0; v < kVectorsOfBlock; ++v) {
    const int64_t n = column + v * columns;
    right[v] = b + n / 16 * QuantizedLayout::kHalf + n % 16 * 4;
#pragma GCC unroll 8
    for (int64_t m = 0; m < kRows; ++m) pairs[m][v] = hn::Zero(I32());
  }
  auto unused = hn::Zero(I32());
  const auto add_quad = [&](int64_t offset, const int16_t* quads) SUANLI_INLINE {
    hn::Vec<I16> wide[kVectorsOfBlock];
#pragma GCC unroll 8
    for (int64_t v = 0; v < kVectorsOfBlock; ++v) {
      wide[v] = hn::PromoteTo(I16(), hn::LoadU(Bytes(), right[v] + offset));
    }
#pragma GCC unroll 8
    for (int64_t m = 0; m < kRows; ++m) {
      int64_t four;
      std::memcpy(&four, quads + m * a_stride, sizeof four);
      const auto left = hn::BitCast(I16(), hn::Set(I64(), four));
#pragma GCC unroll 8
      for (int64_t v = 0; v < kVectorsOfBlock; ++v) {
        pairs[m][v] = hn::ReorderWidenMulAccumulate(I32(), left, wide[v], pairs[m][v], unused);
        keep_in_register(pairs[m][v]);
      }
    }
  };
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t offset = step * QuantizedLayout::kStep;
    for (int64_t k = 0; k < QuantizedLayout::kDepth; k += 8, a += 8) {
      add_quad(offset + k * 16, a);
      add_quad(offset + k * 16 + 64, a + 4);
    }
  }
#pragma GCC unroll 8
  for (int64_t m = 0; m < kRows; ++m) {
#pragma GCC unroll 8
    for (int64_t v = 0; v < kVectorsOfBlock; v += 2) {
      const auto low = pairs[m][v], high = pairs[m][v + 1];
      int32_t* to = sums + m * kSide + column + v * columns;
      const auto sum = hn::Add(hn::ConcatEven(I32(), high, low), hn::ConcatOdd(I32(), high, low));
      hn::StoreU(goes_on ? hn::Add(sum, hn::LoadU(I32(), to)) : sum, I32(), to);
    }
  }
}

#endif  // vectors

/// to[size] = x[count] and zeros.
void widen(const int8_t* x, int64_t count, int16_t* to, int64_t size) {
  const hn::ScalableTag<int16_t> wide;
  const hn::Rebind<int8_t, decltype(wide)> narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t k = 0;
  for (; k + lanes <= count; k += lanes) hn::StoreU(hn::PromoteTo(wide, hn::LoadU(narrow, x + k)), wide, to + k);
  for (; k < count; ++k) to[k] = x[k];
  std::fill(to + k, to + size, int16_t{0});
}

/// Multiplies and finishes square by square.
class SimdSquares {
 public:
  explicit SimdSquares(const QuantizedMatmul& args)
      : args_(args),
        steps_(QuantizedLayout{args.n, args.k}.steps()),
        stride_(steps_ * QuantizedLayout::kDepth),
        left_(local_scratch().get<int16_t>(kSide * stride_ + 4)) {}

  void begin(int64_t m, int64_t rows) {
    const int64_t padded = (rows + kBlockRows - 1) / kBlockRows * kBlockRows;
    for (int64_t r = 0; r < padded; ++r) {
      widen(args_.a + (m + r) * args_.k, r < rows ? args_.k : 0, left_ + r * stride_, stride_);
    }
  }

  void square(const QuantizedSquare& place, const int8_t* b) {
    HWY_ALIGN int32_t sums[kSide * kSide];
    // A single row, as in a text that grows by a token, is as fast as the weights come: all columns at once, so that
    // they are read from one end to the other.
    place.rows == 1 ? multiply<1, kSideVectors>(place, b, sums) : multiply<kBlockRows, kVectors>(place, b, sums);
    args_.dtype == DType::f32 ? finish<float>(place, sums) : finish<bfloat16>(place, sums);
  }
  void end() {}

 private:
  /// Block by block of K, so that the square of B and a row block of A stay in the first-level cache.
  template <int64_t kRows, int64_t kVectorsOfBlock>
  void multiply(const QuantizedSquare& place, const int8_t* b, int32_t* sums) const {
    int64_t step = 0;
    do {  // once without any steps: then sums are 0
      const int64_t steps = HWY_MIN(kBlockSteps, steps_ - step);
      for (int64_t m = 0; m < place.rows; m += kRows) {
        const int16_t* left = left_ + m * stride_ + step * QuantizedLayout::kDepth;
        for (int64_t n = 0; n < kSide; n += block_columns<kVectorsOfBlock>()) {
          quantized_block<kRows, kVectorsOfBlock>(steps, left, stride_, b + step * QuantizedLayout::kStep, n, step > 0,
                                                  sums + m * kSide);
        }
      }
      step += kBlockSteps;
    } while (step < steps_);
  }

  /// The row of biases of a square, in f32.
  void load_bias(const QuantizedSquare& place, float* bias) const {
    std::fill(bias, bias + kSide, 0.0F);
    if (args_.bias == nullptr) return;
    args_.bias_dtype == DType::f32 ? convert(static_cast<const float*>(args_.bias) + place.n, bias, place.columns)
                                   : convert(static_cast<const bfloat16*>(args_.bias) + place.n, bias, place.columns);
  }

  template <class C>
  void finish(const QuantizedSquare& place, const int32_t* sums) const {
    HWY_ALIGN float values[kSide * kSide], bias[kSide + HWY_MAX_BYTES / sizeof(float)];
    load_bias(place, bias);
    const int64_t lanes = lane_count();
    for (int64_t i = 0; i < kSide; i += lanes) {
      const Vector scale = load(args_.b_scale + place.n + i, HWY_MAX(0, HWY_MIN(lanes, place.columns - i)));
      for (int64_t r = 0; r < place.rows; ++r) {
        const Vector sum = hn::ConvertTo(F32(), hn::Load(hn::RebindToSigned<F32>(), sums + r * kSide + i));
        store(hn::MulAdd(hn::Mul(sum, scale), hn::Set(F32(), args_.a_scale[place.m + r]), load(bias + i)),
              values + r * kSide + i);
      }
    }
    if (args_.activation) activate_sums(*args_.activation, values, nullptr, place.rows * kSide);
    for (int64_t r = 0; r < place.rows; ++r) {
      convert(values + r * kSide, static_cast<C*>(args_.c) + (place.m + r) * args_.n + place.n, place.columns);
    }
  }

  const QuantizedMatmul& args_;
  int64_t steps_, stride_;
  int16_t* left_;
};

void quantized_task(const QuantizedMatmul& args, const Tile& range) {
  SimdSquares squares(args);
  each_square(args, range, squares);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(quantized_task);

void add_quantized_matmul_simd() {
  quantized_matmul.add({"simd", DeviceType::cpu,
                        [](const QuantizedMatmul& a, const Machine& m) {
                          const Refusal refusal = refuse_quantized(a);
                          return refusal == nullptr ? refuse_unless_simd(m, a.dtype) : refusal;
                        },
                        [](const QuantizedMatmul& args, Stream&) {
                          each_quantized_task(args, int64_t{1} << 21, [&](const Tile& range) {
                            HWY_DYNAMIC_DISPATCH(quantized_task)(args, range);
                          });
                        }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
