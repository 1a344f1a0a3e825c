#include "train/frechet_distance.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace suanli {
namespace {

using Matrix = std::vector<double>;  // [n * n], row by row

struct Eigen {
  std::vector<double> values;  ///< [n]
  Matrix vectors;              ///< column j belongs to values[j]
};

/// Rotates rows and columns p and q of the symmetric `a` so that a[p, q] becomes 0, and the columns of `vectors` along.
void rotate(Matrix& a, Matrix& vectors, size_t n, size_t p, size_t q) {
  const double off = a[p * n + q];
  if (off == 0) return;
  const double theta = (a[q * n + q] - a[p * n + p]) / (2 * off);
  const double t = std::copysign(1 / (std::abs(theta) + std::hypot(theta, 1.0)), theta);
  const double c = 1 / std::hypot(t, 1.0), s = t * c;
  const auto turn = [c, s](double& x, double& y) {
    const double old = x;
    x = c * old - s * y;
    y = s * old + c * y;
  };
  for (size_t i = 0; i < n; ++i) turn(a[i * n + p], a[i * n + q]);
  for (size_t i = 0; i < n; ++i) turn(a[p * n + i], a[q * n + i]);
  for (size_t i = 0; i < n; ++i) turn(vectors[i * n + p], vectors[i * n + q]);
}

/// Of a symmetric matrix, by Jacobi's rotations (Golub and Van Loan, section 8.5) until what is beside the diagonal is
/// lost in rounding.
Eigen symmetric_eigen(Matrix a, size_t n) {
  constexpr int kMostSweeps = 60;
  constexpr double kLost = 1e-15;
  Eigen out = {std::vector<double>(n), Matrix(n * n)};
  for (size_t i = 0; i < n; ++i) out.vectors[i * n + i] = 1;
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double beside = 0, whole = 0;
    for (size_t i = 0; i < n * n; ++i) {
      whole += a[i] * a[i];
      if (i / n != i % n) beside += a[i] * a[i];
    }
    if (!(beside > kLost * kLost * whole)) break;
    for (size_t p = 0; p + 1 < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) rotate(a, out.vectors, n, p, q);
    }
  }
  for (size_t i = 0; i < n; ++i) out.values[i] = a[i * n + i];
  return out;
}

Matrix product(const Matrix& a, const Matrix& b, size_t n) {
  Matrix out(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < n; ++k) {
      for (size_t j = 0; j < n; ++j) out[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return out;
}

double root(double value) { return std::sqrt(std::max(value, 0.0)); }

/// The symmetric square root V diag(root(values)) V^T.
Matrix square_root(const Matrix& matrix, size_t n) {
  const Eigen eigen = symmetric_eigen(matrix, n);
  Matrix scaled(n * n), transposed(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      scaled[i * n + j] = eigen.vectors[i * n + j] * root(eigen.values[j]);
      transposed[j * n + i] = eigen.vectors[i * n + j];
    }
  }
  return product(scaled, transposed, n);
}

}  // namespace

void FeatureStatistics::add(std::span<const float> rows) {
  const auto n = static_cast<size_t>(width_);
  SUANLI_ASSERT(rows.size() % n == 0);
  for (size_t begin = 0; begin < rows.size(); begin += n, ++count_) {
    const auto row = rows.subspan(begin, n);
    for (size_t i = 0; i < n; ++i) {
      const auto x = static_cast<double>(row[i]);
      sums_[i] += x;
      for (size_t j = 0; j < n; ++j) products_[i * n + j] += x * static_cast<double>(row[j]);
    }
  }
}

std::vector<double> FeatureStatistics::mean() const {
  std::vector<double> out = sums_;
  for (double& value : out) value /= static_cast<double>(count_);
  return out;
}

std::vector<double> FeatureStatistics::covariance() const {
  const std::vector<double> m = mean();
  std::vector<double> out = products_;
  for (size_t i = 0; i < out.size(); ++i) {
    const double expected = static_cast<double>(count_) * m[i / m.size()] * m[i % m.size()];
    out[i] = (out[i] - expected) / static_cast<double>(count_ - 1);
  }
  return out;
}

double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b) {
  SUANLI_ASSERT(a.width() == b.width() && a.count() > 1 && b.count() > 1);
  const auto n = static_cast<size_t>(a.width());
  const std::vector<double> mean_a = a.mean(), mean_b = b.mean();
  const Matrix of_a = a.covariance(), of_b = b.covariance(), half = square_root(of_a, n);
  const Eigen common = symmetric_eigen(product(product(half, of_b, n), half, n), n);
  double distance = 0;
  for (size_t i = 0; i < n; ++i) {
    const double step = mean_a[i] - mean_b[i];
    distance += step * step + of_a[i * n + i] + of_b[i * n + i] - 2 * root(common.values[i]);
  }
  return distance;
}

}  // namespace suanli
