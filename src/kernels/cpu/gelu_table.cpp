#include "kernels/cpu/gelu_table.h"

#include <cmath>
#include <numbers>

namespace suanli::kernels {

namespace {

double cumulative(double x) { return std::erf(x / std::numbers::sqrt2) / 2; }
double slope(double x) {
  return cumulative(x) + x * std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

/// Interpolates f - 1/2 at the Chebyshev nodes of each piece: divided differences, then powers of r.
void fit(double (*f)(double), GeluTable::Coefficients& c) {
  constexpr int kNodes = GeluTable::kDegree + 1;
  for (int n = 0; n + 1 < GeluTable::kPieces; ++n) {
    double node[kNodes], difference[kNodes], power[kNodes] = {};
    for (int i = 0; i < kNodes; ++i) {
      node[i] = std::cos(std::numbers::pi * (2 * i + 1) / (2 * kNodes)) / 2;
      difference[i] = f(GeluTable::kWidth * (n + node[i]));
    }
    for (int order = 1; order < kNodes; ++order) {
      for (int i = kNodes - 1; i >= order; --i) {
        difference[i] = (difference[i] - difference[i - 1]) / (node[i] - node[i - order]);
      }
    }
    for (int i = kNodes - 1; i >= 0; --i) {  // power = power * (r - node[i]) + difference[i]
      for (int k = kNodes - 1; k > 0; --k) power[k] = power[k - 1] - node[i] * power[k];
      power[0] = difference[i] - node[i] * power[0];
    }
    for (int k = 0; k < kNodes; ++k) c[k][n] = static_cast<float>(power[k]);
  }
  for (int k = 0; k < kNodes; ++k) c[k][GeluTable::kPieces - 1] = k == 0 ? 0.5F : 0.0F;
}

}  // namespace

GeluTable::GeluTable() {
  fit(kernels::cumulative, cumulative);
  fit(kernels::slope, slope);
}

const GeluTable& gelu_table() {
  static const GeluTable table;
  return table;
}

}  // namespace suanli::kernels
