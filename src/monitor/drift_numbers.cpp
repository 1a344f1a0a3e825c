#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/concat.h"
#include "base/error.h"
#include "monitor/drift.h"

namespace suanli::monitor {
namespace {

void check_filled(const Sample& baseline, const Sample& window) {
  if (baseline.values.empty() || window.values.empty()) {
    throw UserError(
        "drift", concat("expected values on both sides, got ", baseline.values.size(), " and ", window.values.size()));
  }
}

/// Calls f(from, to, F, G) for each stretch between neighbouring values, F and G the shares up to `from` of each side.
template <class F>
void for_each_stretch(const Sample& a, const Sample& b, const F& f) {
  double below_a = 0, below_b = 0;
  for (size_t i = 0, j = 0; i < a.values.size() || j < b.values.size();) {
    const bool take_a = j == b.values.size() || (i < a.values.size() && a.values[i] <= b.values[j]);
    const double value = take_a ? a.values[i] : b.values[j];
    while (i < a.values.size() && a.values[i] == value) below_a += a.weights[i++];
    while (j < b.values.size() && b.values[j] == value) below_b += b.weights[j++];
    const double next_a = i < a.values.size() ? a.values[i] : std::numeric_limits<double>::infinity();
    const double next_b = j < b.values.size() ? b.values[j] : std::numeric_limits<double>::infinity();
    f(value, std::min(next_a, next_b), below_a / a.count, below_b / b.count);
  }
}

/// P(K >= t) of Kolmogorov's distribution, by the one of its two series that converges in a few terms.
double kolmogorov_beyond(double t) {
  if (t <= 0) return 1;
  double sum = 0;
  if (t < 1) {
    for (int j = 1; j < 10; j += 2) sum += std::exp(-j * j * std::numbers::pi * std::numbers::pi / (8 * t * t));
    return 1 - std::sqrt(2 * std::numbers::pi) / t * sum;
  }
  for (int j = 1; j < 6; ++j) sum += (j % 2 == 1 ? 2 : -2) * std::exp(-2 * j * j * t * t);
  return sum;
}

/// The right edges of all bins but the last.
std::vector<double> quantile_edges(const Sample& sample, int bins) {
  std::vector<double> edges;
  double below = 0;
  size_t at = 0;
  for (int bin = 1; bin < bins; ++bin) {
    const double rank = sample.count * bin / bins;
    while (below + sample.weights[at] < rank) below += sample.weights[at++];
    if (edges.empty() || sample.values[at] > edges.back()) edges.push_back(sample.values[at]);
  }
  return edges;
}

std::vector<double> bin_shares(const Sample& sample, const std::vector<double>& edges) {
  constexpr double kEmptyShare = 0.0001;
  std::vector<double> shares(edges.size() + 1);
  for (size_t i = 0; i < sample.values.size(); ++i) {
    const auto bin = std::lower_bound(edges.begin(), edges.end(), sample.values[i]) - edges.begin();
    shares[static_cast<size_t>(bin)] += sample.weights[i] / sample.count;
  }
  for (double& share : shares) share = share > 0 ? share : kEmptyShare;
  return shares;
}

}  // namespace

TestResult kolmogorov_smirnov(const Sample& baseline, const Sample& window) {
  check_filled(baseline, window);
  double largest = 0;
  for_each_stretch(baseline, window,
                   [&](double, double, double f, double g) { largest = std::max(largest, std::abs(f - g)); });
  const double pairs = baseline.count * window.count / (baseline.count + window.count);
  return {largest, kolmogorov_beyond(largest * std::sqrt(pairs))};
}

TestResult population_stability(const Sample& baseline, const Sample& window, int bins) {
  check_filled(baseline, window);
  if (bins < 2) throw UserError("drift", concat("expected 2 bins or more, got ", bins));
  const std::vector<double> edges = quantile_edges(baseline, bins);
  const std::vector<double> p = bin_shares(baseline, edges), q = bin_shares(window, edges);
  double index = 0;
  for (size_t i = 0; i < p.size(); ++i) index += (q[i] - p[i]) * std::log(q[i] / p[i]);
  return {index, chi_square_beyond(index / (1 / baseline.count + 1 / window.count), static_cast<double>(edges.size()))};
}

Distance wasserstein(const Sample& baseline, const Sample& window) {
  check_filled(baseline, window);
  Distance result;
  const double share = baseline.count / (baseline.count + window.count);
  for_each_stretch(baseline, window, [&](double from, double to, double f, double g) {
    if (std::isinf(to)) return;  // above all values both shares are 1
    const double h = std::min(1.0, share * f + (1 - share) * g);
    result.distance += std::abs(f - g) * (to - from);
    result.by_chance += std::sqrt(h * (1 - h)) * (to - from);
  });
  result.by_chance *= std::sqrt(2 / std::numbers::pi * (1 / baseline.count + 1 / window.count));
  return result;
}

}  // namespace suanli::monitor
