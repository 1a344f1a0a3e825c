#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/concat.h"
#include "base/error.h"
#include "base/random.h"
#include "monitor/drift.h"

namespace suanli::monitor {
namespace {

constexpr uint32_t kPermutationSite = 0xDA7A0043;

using Vectors = std::span<const std::vector<float>>;

double squared_distance(const std::vector<float>& x, const std::vector<float>& y) {
  std::array<double, 4> sums = {};  // four, so that an addition need not wait for the one before
  for (size_t i = 0; i < x.size(); ++i) sums[i % 4] += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Squared distances of all pairs, [n, n].
std::vector<double> squared_distances(const std::vector<const std::vector<float>*>& vectors) {
  const size_t n = vectors.size();
  std::vector<double> squares(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < i; ++j) {
      squares[i * n + j] = squares[j * n + i] = squared_distance(*vectors[i], *vectors[j]);
    }
  }
  return squares;
}

/// The median of the distances of all pairs, or their mean where it is 0.
double kernel_width(const std::vector<double>& squares, size_t n) {
  std::vector<double> distances;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < i; ++j) distances.push_back(std::sqrt(squares[i * n + j]));
  }
  const auto middle = distances.begin() + static_cast<int64_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  const double below = distances.size() % 2 == 1 ? *middle : *std::max_element(distances.begin(), middle);
  const double median = (*middle + below) / 2;
  if (median > 0) return median;
  return std::accumulate(distances.begin(), distances.end(), 0.0) / static_cast<double>(distances.size());
}

/// MMD^2 of the first `m` of `order` against the rest, from kernels [n, n] with 0 on the diagonal and their sum.
double discrepancy(const std::vector<double>& kernels, double all, const std::vector<size_t>& order, size_t m) {
  const size_t n = order.size();
  double within_first = 0, across = 0;
  for (size_t a = 0; a < n; ++a) {
    const double* row = kernels.data() + order[a] * n;
    double first = 0;
    for (size_t b = 0; b < m; ++b) first += row[order[b]];
    (a < m ? within_first : across) += first;
  }
  const auto x = static_cast<double>(m), y = static_cast<double>(n - m);
  return within_first / (x * (x - 1)) + (all - within_first - 2 * across) / (y * (y - 1)) - 2 * across / (x * y);
}

}  // namespace

TestResult maximum_mean_discrepancy(Vectors baseline, Vectors window, const PermutationOptions& options) {
  std::vector<const std::vector<float>*> vectors;
  for (const Vectors& side : {baseline, window}) {
    if (side.size() < 2 || options.vectors < 2) {
      throw UserError("drift", concat("expected two vectors or more on both sides, got ", baseline.size(), " and ",
                                      window.size(), ", of which ", options.vectors, " count"));
    }
    for (const std::vector<float>& vector : side.first(std::min(side.size(), options.vectors))) {
      if (vector.size() != baseline[0].size()) {
        throw UserError("drift", concat("expected vectors of ", baseline[0].size(), " values, got ", vector.size()));
      }
      vectors.push_back(&vector);
    }
  }
  const size_t n = vectors.size(), m = std::min(baseline.size(), options.vectors);
  std::vector<double> kernels = squared_distances(vectors);
  const double width = kernel_width(kernels, n);
  if (width == 0) return {0, 1};  // all vectors are one
  for (double& kernel : kernels) kernel = std::exp(-kernel / (2 * width * width));
  for (size_t i = 0; i < n; ++i) kernels[i * n + i] = 0;

  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  const double all = std::accumulate(kernels.begin(), kernels.end(), 0.0);
  const double found = discrepancy(kernels, all, order, m);
  RandomGenerator random({options.seed, 0, kPermutationSite});
  int64_t as_large = 1;
  for (int64_t i = 0; i < options.permutations; ++i) {
    for (size_t last = n - 1; last > 0; --last) std::swap(order[last], order[random.below(last + 1)]);
    as_large += discrepancy(kernels, all, order, m) >= found;
  }
  return {found, static_cast<double>(as_large) / static_cast<double>(options.permutations + 1)};
}

}  // namespace suanli::monitor
