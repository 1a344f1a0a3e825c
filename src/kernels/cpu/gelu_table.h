/// Phi(x) and the slope of gelu(x) = x Phi(x) in pieces: half the work of computing them by exp and 1 / x, where a
/// vector holds as many numbers as there are pieces.
#pragma once

namespace suanli::kernels {

/// For n = 0..15 and r in -1/2..1/2: f(width (n + r)) - 1/2 = sum_k c[k][n] r^k. The functions end in 1, and the last
/// piece is 1/2 exactly.
struct GeluTable {
  static constexpr int kPieces = 16, kDegree = 5;
  static constexpr float kEnd = 15, kWidth = 0.425F;
  using Coefficients = float[kDegree + 1][kPieces];
  alignas(64) Coefficients cumulative;  ///< Phi(x) = (1 + erf(x / sqrt 2)) / 2, within 1e-8
  alignas(64) Coefficients slope;       ///< Phi(x) + x phi(x), within 7e-8
  GeluTable();
};
const GeluTable& gelu_table();

}  // namespace suanli::kernels
