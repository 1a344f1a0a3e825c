#include "models/probabilities.h"

#include <algorithm>
#include <cmath>

namespace suanli::models {

std::vector<double> softmax(std::span<const float> logits, double temperature) {
  const auto largest = static_cast<double>(*std::ranges::max_element(logits));
  std::vector<double> p;
  p.reserve(logits.size());
  double sum = 0;
  for (const float logit : logits) {
    sum += p.emplace_back(std::exp((static_cast<double>(logit) - largest) / temperature));
  }
  for (double& each : p) each /= sum;
  return p;
}

}  // namespace suanli::models
