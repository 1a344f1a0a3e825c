/// Matrix product with optional bias, accumulation and transposed operands.
#pragma once

#include <optional>

#include "kernels/activation.h"
#include "kernels/registry.h"
#include "tensor/derived_forms.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// What becomes of a sum s before it is stored in C: f(s), s * factor, s * f'(at), or s itself.
struct Epilogue {
  std::optional<Activation> activation = {};  ///< f
  void* slope = nullptr;                      ///< f'(s) [M,N] of c_dtype, for a gradient by `factor`; null: not kept
  void* sum = nullptr;                        ///< s [M,N] of c_dtype, for a gradient by `at`; null: not kept
  const void* factor = nullptr;               ///< [M,N] of c_dtype; without an activation
  const void* at = nullptr;                   ///< [M,N] of c_dtype; with an activation
  bool empty() const { return !activation && factor == nullptr; }
};

/// C[M,N] = epilogue((accumulate ? C : 0) + op(A)[M,K] * op(B)[K,N] + bias[N])
/// A is stored [M,K], or [K,M] when transpose_a; B is [K,N], or [N,K] when transpose_b; all row-major and dense.
/// A and B have `dtype`; C has `c_dtype` (dtype, or f32 for 16-bit operands); bias (null = none) has `bias_dtype`,
/// f32 or dtype. Sums in f32, or f64 for f64. M, N or K may be 0: with K = 0 C is the bias (or stays).
/// Where the dtype of C has 16 bits, GELU's tanh form and its gradient `at` may take tanh from the machine, with a
/// relative error of 2^-11.
struct Matmul {
  const void *a, *b, *bias;
  void* c;
  int64_t m, n, k;
  bool transpose_a, transpose_b, accumulate;
  DType dtype, c_dtype, bias_dtype;
  DerivedForms* b_forms = nullptr;  ///< of a B that stays the same for many calls: an implementation may pack it once
  Epilogue epilogue = {};
  /// [M] of c_dtype: the sums over K of op(A), of a transposed A and without bias or epilogue: beside the gradient
  /// dy^T x of a weight that of its bias. Null: not wanted.
  void* row_sums = nullptr;
};
inline Kernel<Matmul> matmul{"matmul"};
Work work_of(const Matmul& args);

/// y[n] = sum over rows t of x[t,n]; x [rows, width] of `dtype`, y f32 (f64 for f64). The order of the sum depends on
/// the shape alone, not on threads.
struct ColumnSum {
  const void* x;
  void* y;
  int64_t rows, width;
  DType dtype;
};
inline Kernel<ColumnSum> column_sum{"column_sum"};
Work work_of(const ColumnSum& args);

}  // namespace suanli::kernels
