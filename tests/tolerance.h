/// The tolerances of all numerical tests, derived from the precision of a dtype, the number of terms and their norms.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "tensor/dtype.h"

namespace suanli::testing {

/// Unit roundoff: rounding to nearest changes a normal number by at most this part of it.
inline double unit_roundoff(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 0x1p-53;
    case DType::f32:
      return 0x1p-24;
    case DType::f16:
      return 0x1p-11;
    case DType::bf16:
      return 0x1p-8;
    default:
      return 0;
  }
}

/// Half the distance between the smallest numbers: what rounding can change near zero. Whole distance, because a fast
/// kernel may flush subnormal f32 numbers to zero.
inline double smallest_step(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 0x1p-1022;
    case DType::f16:
      return 0x1p-24;
    default:
      return 0x1p-126;  // f32 and bf16 share their exponents
  }
}

/// The change that storing `value` as `dtype` may make.
inline double rounding(DType dtype, double value) {
  return unit_roundoff(dtype) * std::abs(value) + smallest_step(dtype);
}

/// f64 for f64, else f32: what kernels sum in.
inline DType sum_dtype(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

/// The error of a dot product of `terms` products summed in `dtype` in any order, with |x||y| = `norms`.
/// Each of the roundings changes the sum by at most u sum|x_i y_i| <= u |x||y| (Cauchy and Schwarz). They are as good
/// as independent, so that sqrt(terms) of them add up rather than `terms` (Higham and Mary 2019, "A new approach to
/// probabilistic rounding error analysis"); 4 + 2 sqrt(terms) covers the worst case of up to eight terms and leaves
/// more than four standard deviations beyond.
inline double sum_error(DType dtype, int64_t terms, double norms) {
  return (4 + 2 * std::sqrt(static_cast<double>(terms))) * unit_roundoff(dtype) * norms;
}

/// Relative error granted to one exp, log, tanh, erf, division or square root of a vector library, in units of u.
inline constexpr double kFunctionRoundings = 8;

/// The error of such a function with a result of size `value`.
inline double function_error(DType dtype, double value) {
  return kFunctionRoundings * unit_roundoff(dtype) * std::abs(value);
}

/// Euclidean norm of `count` numbers, `step` apart.
inline double norm(const double* values, int64_t count, int64_t step = 1) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += values[i * step] * values[i * step];
  return std::sqrt(sum);
}
inline double norm(std::span<const double> values) { return norm(values.data(), static_cast<int64_t>(values.size())); }

/// Largest absolute value.
inline double largest(const double* values, int64_t count, int64_t step = 1) {
  double most = 0;
  for (int64_t i = 0; i < count; ++i) most = std::max(most, std::abs(values[i * step]));
  return most;
}

/// True when `got` equals `exact` within `bound`; NaN equals NaN and an infinity itself alone.
inline bool close(double got, double exact, double bound) {
  if (std::isnan(exact)) return std::isnan(got);
  if (std::isinf(exact)) return got == exact;
  return std::abs(got - exact) <= bound;
}

}  // namespace suanli::testing
