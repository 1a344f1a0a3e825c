// Small products of f32 matrices for attention: a register block of C, one pass over K, no packing of A.
#if defined(SUANLI_KERNELS_CPU_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SUANLI_KERNELS_CPU_PRODUCT_INL_H_
#undef SUANLI_KERNELS_CPU_PRODUCT_INL_H_
#else
#define SUANLI_KERNELS_CPU_PRODUCT_INL_H_
#endif

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Rows of a matrix in f32: element (i, j) at data[i * stride + j].
struct Rows {
  const float* data;
  int64_t stride;
};

/// The left operand: element (m, k) at data[m * row + k * column], so that a transpose is a swap of strides.
struct Left {
  const float* data;
  int64_t row, column;
};

/// Registers for C: kRows x kVectors accumulators, kVectors of B and one of A must fit 32 (16 for AVX2) registers.
#if HWY_TARGET == HWY_AVX3
inline constexpr int64_t kRows = 6, kVectors = 4;
#else
inline constexpr int64_t kRows = 6, kVectors = 2;
#endif

/// C = start + A B for M rows and N vectors of columns; `start` (null: 0) has rows start_stride apart. `next` (null:
/// none) is the B of the next block, of the same depth and stride, to be fetched from memory meanwhile: its quarters
/// side by side, because a core reads from four places at once half as fast again as from one.
template <int64_t M, int64_t N>
HWY_INLINE void register_block(int64_t depth, Left a, const float* HWY_RESTRICT b, int64_t b_stride, float* c,
                               int64_t c_stride, const float* start, int64_t start_stride,
                               const float* next = nullptr) {
  const int64_t lanes = lane_count();
  Vector sums[M][N];
  if (start == nullptr) {
#pragma GCC unroll 8
    for (int64_t m = 0; m < M; ++m) {
#pragma GCC unroll 8
      for (int64_t n = 0; n < N; ++n) sums[m][n] = hn::Zero(F32());
    }
  } else {
#pragma GCC unroll 8
    for (int64_t m = 0; m < M; ++m) {
#pragma GCC unroll 8
      for (int64_t n = 0; n < N; ++n) sums[m][n] = load(start + m * start_stride + n * lanes);
    }
  }
  const float* left_rows[M];
#pragma GCC unroll 8
  for (int64_t m = 0; m < M; ++m) left_rows[m] = a.data + m * a.row;
  for (int64_t k = 0; k < depth; ++k) {
    if (next != nullptr) {
      const float* row = next + (k % 4 * (depth / 4) + k / 4) * b_stride;
#pragma GCC unroll 8
      for (int64_t n = 0; n < N; ++n) __builtin_prefetch(row + n * lanes);
    }
    Vector right[N];
#pragma GCC unroll 8
    for (int64_t n = 0; n < N; ++n) right[n] = load(b + k * b_stride + n * lanes);
#pragma GCC unroll 8
    for (int64_t m = 0; m < M; ++m) {
      const Vector left = hn::Set(F32(), left_rows[m][k * a.column]);
#pragma GCC unroll 8
      for (int64_t n = 0; n < N; ++n) sums[m][n] = hn::MulAdd(left, right[n], sums[m][n]);
    }
  }
#pragma GCC unroll 8
  for (int64_t m = 0; m < M; ++m) {
#pragma GCC unroll 8
    for (int64_t n = 0; n < N; ++n) store(sums[m][n], c + m * c_stride + n * lanes);
  }
}

/// One panel of N vectors of columns: blocks of kRows rows, then what is left.
template <int64_t N>
HWY_NOINLINE void product_panel(int64_t rows, int64_t depth, Left a, const float* b, int64_t b_stride, float* c,
                                int64_t c_stride, bool accumulate) {
  int64_t m = 0;
  const auto at = [&](int64_t row) SUANLI_INLINE { return Left{a.data + row * a.row, a.row, a.column}; };
  for (; m + kRows <= rows; m += kRows) {
    register_block<kRows, N>(depth, at(m), b, b_stride, c + m * c_stride, c_stride,
                             accumulate ? c + m * c_stride : nullptr, c_stride);
  }
  float* rest = c + m * c_stride;
  const float* start = accumulate ? rest : nullptr;
  switch (rows - m) {
    case 5:
      return register_block<5, N>(depth, at(m), b, b_stride, rest, c_stride, start, c_stride);
    case 4:
      return register_block<4, N>(depth, at(m), b, b_stride, rest, c_stride, start, c_stride);
    case 3:
      return register_block<3, N>(depth, at(m), b, b_stride, rest, c_stride, start, c_stride);
    case 2:
      return register_block<2, N>(depth, at(m), b, b_stride, rest, c_stride, start, c_stride);
    case 1:
      return register_block<1, N>(depth, at(m), b, b_stride, rest, c_stride, start, c_stride);
    default:
      return;
  }
}

/// C[rows, columns] = A[rows, depth] B[depth, columns] (+ C when `accumulate`); `columns` is rounded up to whole
/// vectors, which B and C must have room for.
inline void small_product(int64_t rows, int64_t columns, int64_t depth, Left a, Rows b, float* c, int64_t c_stride,
                          bool accumulate) {
  const int64_t lanes = lane_count();
  for (int64_t n = 0; n < columns; n += kVectors * lanes) {
    const int64_t vectors = HWY_MIN(kVectors, (columns - n + lanes - 1) / lanes);
    const float* panel = b.data + n;
    if (vectors == 1) product_panel<1>(rows, depth, a, panel, b.stride, c + n, c_stride, accumulate);
    if (vectors == 2) product_panel<2>(rows, depth, a, panel, b.stride, c + n, c_stride, accumulate);
#if HWY_TARGET == HWY_AVX3
    if (vectors == 3) product_panel<3>(rows, depth, a, panel, b.stride, c + n, c_stride, accumulate);
    if (vectors == 4) product_panel<4>(rows, depth, a, panel, b.stride, c + n, c_stride, accumulate);
#endif
  }
}

HWY_INLINE int64_t whole_vectors(int64_t count) { return (count + lane_count() - 1) / lane_count() * lane_count(); }

/// The same rows in f32 and readable in whole vectors: where they lie if they already are, else copied to `buffer`
/// [rows, whole_vectors(width)] with zeros behind each row.
template <class T>
HWY_INLINE Rows rows_of(const T* x, int64_t stride, int64_t rows, int64_t width, float* buffer) {
  const int64_t padded = whole_vectors(width);
  if constexpr (std::is_same_v<T, float>) {
    if (padded == width) return {x, stride};
  }
  for (int64_t r = 0; r < rows; ++r) {
    each_vector(width, [&](int64_t c, int64_t n)
                           SUANLI_INLINE { store(load(x + r * stride + c, n), buffer + r * padded + c); });
  }
  return {buffer, padded};
}

/// Where a product may write rows that end up at y: y itself, or `buffer` when they must still be rounded or cut.
template <class T>
HWY_INLINE float* writable_rows(T* y, int64_t width, float* buffer) {
  if constexpr (std::is_same_v<T, float>) return whole_vectors(width) == width ? y : buffer;
  return buffer;
}

#if HWY_TARGET != HWY_SCALAR
using F32x4 = hn::FixedTag<float, 4>;
HWY_INLINE hn::Vec<F32x4> load_four(const float* p) { return hn::LoadU(F32x4(), p); }
HWY_INLINE hn::Vec<F32x4> load_four(const bfloat16* p) {
  const hn::Rebind<uint16_t, F32x4> d16;
  const hn::RebindToUnsigned<F32x4> d32;
  const auto bits = hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(p)));
  return hn::BitCast(F32x4(), hn::ShiftLeft<16>(bits));
}
#endif

/// out[j][i] = x[i][j] in f32 for i < rows, j < width, with zeros for rows <= i < stride; x and out have rows x_stride
/// and `stride` elements apart.
template <class T>
HWY_NOINLINE void transpose(const T* x, int64_t x_stride, int64_t rows, int64_t width, float* out, int64_t stride) {
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const F32x4 d;
  const hn::Repartition<double, F32x4> pairs;
  for (; i + 4 <= rows; i += 4) {
    const T* p = x + i * x_stride;
    int64_t j = 0;
    for (; j + 4 <= width; j += 4) {
      const auto r0 = load_four(p + j), r1 = load_four(p + x_stride + j);
      const auto r2 = load_four(p + 2 * x_stride + j), r3 = load_four(p + 3 * x_stride + j);
      const auto a = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
      const auto b = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
      const auto e = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
      const auto f = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, a, b)), d, out + j * stride + i);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, a, b)), d, out + (j + 1) * stride + i);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, e, f)), d, out + (j + 2) * stride + i);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, e, f)), d, out + (j + 3) * stride + i);
    }
    for (; j < width; ++j) {
      for (int64_t row = 0; row < 4; ++row) out[j * stride + i + row] = static_cast<float>(p[row * x_stride + j]);
    }
  }
#endif
  for (; i < stride; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      out[j * stride + i] = i < rows ? static_cast<float>(x[i * x_stride + j]) : 0.0F;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
