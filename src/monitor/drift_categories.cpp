#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <boost/math/special_functions/gamma.hpp>

#include "base/concat.h"
#include "base/error.h"
#include "monitor/drift.h"

namespace suanli::monitor {
namespace {

double sum_of(const std::vector<double>& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

void check_counts(const CountTable& table) {
  if (table.baseline.size() != table.window.size() || sum_of(table.baseline) <= 0 || sum_of(table.window) <= 0) {
    throw UserError("drift", concat("expected counts of the same categories on both sides, got ", table.baseline.size(),
                                    " with a sum of ", sum_of(table.baseline), " and ", table.window.size(),
                                    " with a sum of ", sum_of(table.window)));
  }
}

/// x log2(x / y), 0 for x = 0.
double relative_bits(double x, double y) { return x > 0 ? x * std::log2(x / y) : 0; }

}  // namespace

double chi_square_beyond(double x, double degrees) {
  return degrees <= 0 || x <= 0 ? 1 : boost::math::gamma_q(degrees / 2, x / 2);
}

double effect_size(double chi_square, double n, double m) { return std::sqrt(chi_square * (1 / n + 1 / m)); }

CountTable with_rare_pooled(const CountTable& table) {
  constexpr double kLeastExpected = 5;
  const double n = sum_of(table.baseline), m = sum_of(table.window), smaller = std::min(n, m);
  std::vector<size_t> order(table.baseline.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto both = [&](size_t i) { return table.baseline[i] + table.window[i]; };
  std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) { return both(i) < both(j); });
  CountTable pooled = {{0}, {0}};
  size_t next = 0;
  const auto rare = [&](double count) { return smaller * count / (n + m) < kLeastExpected; };
  const auto pool = [&] {
    pooled.baseline[0] += table.baseline[order[next]];
    pooled.window[0] += table.window[order[next++]];
  };
  while (next < order.size() && rare(both(order[next]))) pool();
  if (next > 0 && next < order.size() && rare(pooled.baseline[0] + pooled.window[0])) pool();
  if (next == 0) pooled = {};
  for (; next < order.size(); ++next) {
    pooled.baseline.push_back(table.baseline[order[next]]);
    pooled.window.push_back(table.window[order[next]]);
  }
  return pooled;
}

TestResult chi_square(const CountTable& table) {
  check_counts(table);
  const CountTable cells = with_rare_pooled(table);
  const double n = sum_of(cells.baseline), m = sum_of(cells.window);
  double sum = 0;
  for (size_t i = 0; i < cells.baseline.size(); ++i) {
    const double share = (cells.baseline[i] + cells.window[i]) / (n + m);
    sum += std::pow(cells.baseline[i] - n * share, 2) / (n * share) +
           std::pow(cells.window[i] - m * share, 2) / (m * share);
  }
  return {sum, chi_square_beyond(sum, static_cast<double>(cells.baseline.size()) - 1)};
}

TestResult jensen_shannon(const CountTable& table) {
  check_counts(table);
  const double n = sum_of(table.baseline), m = sum_of(table.window);
  double divergence = 0;
  for (size_t i = 0; i < table.baseline.size(); ++i) {
    const double p = table.baseline[i] / n, q = table.window[i] / m, mean = (p + q) / 2;
    divergence += (relative_bits(p, mean) + relative_bits(q, mean)) / 2;
  }
  divergence = std::max(divergence, 0.0);
  const double chi_square = 8 * std::numbers::ln2 * n * m / (n + m) * divergence;
  return {std::sqrt(divergence), chi_square_beyond(chi_square, static_cast<double>(table.baseline.size()) - 1)};
}

}  // namespace suanli::monitor
