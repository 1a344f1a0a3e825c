/// The distance between two sets of pictures by the features that a classifier has of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace suanli {

/// Mean and covariance of rows of features, in f64.
class FeatureStatistics {
 public:
  explicit FeatureStatistics(int64_t width) : width_(width), sums_(width), products_(width * width) {}
  /// rows [N * width].
  void add(std::span<const float> rows);
  int64_t width() const { return width_; }
  int64_t count() const { return count_; }
  /// [width].
  std::vector<double> mean() const;
  /// [width * width] with divisor count - 1, as numpy.cov. At least two rows.
  std::vector<double> covariance() const;

 private:
  int64_t width_, count_ = 0;
  std::vector<double> sums_, products_;
};

/// The squared Frechet distance of two normal distributions (Dowson and Landau 1982; as FID, Heusel et al. 2017):
///   |m1 - m2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2)
/// The last trace is the sum of the square roots of the eigenvalues, which are those of S1 S2; ones below 0, which
/// rounding makes, count 0. Equal widths, at least two rows each.
double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b);

}  // namespace suanli
