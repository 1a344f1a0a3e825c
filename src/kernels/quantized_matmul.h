/// Products of 8-bit matrices for inference: each row and each column has a scale, sums are exact integers.
#pragma once

#include <optional>

#include "kernels/activation.h"

namespace suanli::kernels {

/// scale[r] = max |x[r]| / 127 and values[r,c] = x[r,c] * (127 / max |x[r]|), rounded once, to nearest even, so that
/// values * scale is x within scale / 2 (vector-wise absmax quantisation: Dettmers et al. 2022, LLM.int8()).
/// x [rows, width] of `dtype`, taken as f32. A row that stays below 2^-100 gets scale 0 and zeros; a row with NaN or an
/// infinity gets scale NaN and zeros, so that all its products are NaN. Every implementation gives the same bits.
struct QuantizeRows {
  const void* x;
  int8_t* values;
  float* scale;
  int64_t rows, width;
  DType dtype;
};
inline Kernel<QuantizeRows> quantize_rows{"quantize_rows"};
Work work_of(const QuantizeRows& args);

/// How a matrix B [N,K] of i8 lies in memory for products: the form that dot products of quads (VNNI, AMX) read.
/// Squares of 32 rows n; a square is its steps of 64 k and then the 32 sums of its rows over k (i32). A step is two
/// halves of 16 rows, 1 KiB each: 16 quads of neighbouring k after one another, in each quad the 16 rows side by side.
/// Zeros fill up what N and K leave.
struct QuantizedLayout {
  static constexpr int64_t kRows = 32, kDepth = 64, kHalf = 16 * kDepth, kStep = 2 * kHalf;
  int64_t n, k;

  constexpr int64_t squares() const { return (n + kRows - 1) / kRows; }
  constexpr int64_t steps() const { return (k + kDepth - 1) / kDepth; }
  constexpr int64_t square_bytes() const { return steps() * kStep + kRows * int64_t{sizeof(int32_t)}; }
  constexpr int64_t bytes() const { return squares() * square_bytes(); }
  constexpr int64_t place(int64_t row, int64_t depth) const {
    return row / kRows * square_bytes() + depth / kDepth * kStep + row % kRows / 16 * kHalf + depth % kDepth / 4 * 64 +
           row % 16 * 4 + depth % 4;
  }
};

/// packed = b [N,K], row-major, in QuantizedLayout{n, k}.
struct PackQuantized {
  const int8_t* b;
  int8_t* packed;
  int64_t n, k;
};
inline Kernel<PackQuantized> pack_quantized{"pack_quantized"};
Work work_of(const PackQuantized& args);

/// The sums of a longer K might not fit 32 bits.
inline constexpr int64_t kMostQuantizedDepth = int64_t{1} << 17;

/// C[m,n] = f(fma(sum_k A[m,k] B[n,k] * b_scale[n], a_scale[m], bias[n])), f the activation or nothing.
/// A [M,K] row-major, B [N,K] in QuantizedLayout, K <= kMostQuantizedDepth; C [M,N] of `dtype`; bias (null = 0) of
/// `bias_dtype`. The sum is an exact i32, what follows f32 (f64 for f64), one rounding to `dtype` at the end: without
/// an activation every implementation gives the same bits.
struct QuantizedMatmul {
  const int8_t* a;
  const float* a_scale;
  const int8_t* b;
  const float* b_scale;
  const void* bias;
  void* c;
  int64_t m, n, k;
  std::optional<Activation> activation;
  DType dtype, bias_dtype;
};
inline Kernel<QuantizedMatmul> quantized_matmul{"quantized_matmul"};
Work work_of(const QuantizedMatmul& args);

}  // namespace suanli::kernels
