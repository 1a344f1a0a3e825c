#include "monitor/sample.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace suanli::monitor {

Sample sample_of(std::vector<double> values) {
  const std::vector<double> ones(values.size(), 1.0);
  return sample_of(std::move(values), ones);
}

Sample sample_of(std::vector<double> values, std::vector<double> weights) {
  std::vector<std::pair<double, double>> pairs(values.size());
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = {values[i], weights[i]};
  std::sort(pairs.begin(), pairs.end());
  Sample sample = {std::move(values), std::move(weights), 0};
  for (size_t i = 0; i < pairs.size(); ++i) std::tie(sample.values[i], sample.weights[i]) = pairs[i];
  sample.count = std::accumulate(sample.weights.begin(), sample.weights.end(), 0.0);
  return sample;
}

Sample joined(const Sample& a, const Sample& b) {
  std::vector<double> values = a.values, weights = a.weights;
  values.insert(values.end(), b.values.begin(), b.values.end());
  weights.insert(weights.end(), b.weights.begin(), b.weights.end());
  return sample_of(std::move(values), std::move(weights));
}

}  // namespace suanli::monitor
