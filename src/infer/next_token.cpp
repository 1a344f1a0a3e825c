#include "infer/next_token.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "models/probabilities.h"

namespace suanli::infer {

void penalise_repetition(std::span<float> logits, std::span<const int32_t> ids, double penalty) {
  if (penalty == 1) return;
  for (const int32_t id : std::set<int32_t>(ids.begin(), ids.end())) {
    float& logit = logits[static_cast<size_t>(id)];
    logit = static_cast<float>(logit < 0 ? static_cast<double>(logit) * penalty : static_cast<double>(logit) / penalty);
  }
}

int32_t most_likely(std::span<const float> logits) {
  return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
}

std::vector<double> log_probabilities(std::span<const float> logits) {
  const auto top = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - top);
  std::vector<double> out;
  out.reserve(logits.size());
  for (const float logit : logits) out.push_back(static_cast<double>(logit) - top - std::log(sum));
  return out;
}

namespace {

/// Scales what is left to a sum of 1.
void normalise(std::vector<double>& p) {
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
}

/// Tokens from the least likely one on.
std::vector<size_t> ascending(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t token) { return p[token]; });
  return order;
}

void keep_top_k(std::vector<double>& p, int64_t k) {
  if (k == 0 || static_cast<size_t>(k) >= p.size()) return;
  std::vector<double> sorted = p;
  std::ranges::nth_element(sorted, sorted.begin() + k - 1, std::greater<>());
  const double least = sorted[static_cast<size_t>(k - 1)];
  for (double& value : p) value = value < least ? 0 : value;
  normalise(p);
}

void keep_top_p(std::vector<double>& p, double top_p) {
  if (top_p >= 1) return;
  const std::vector<size_t> order = ascending(p);
  double sum = 0;
  for (size_t i = 0; i + 1 < order.size(); ++i) {  // the most likely token stays
    sum += p[order[i]];
    if (sum > 1 - top_p) break;
    p[order[i]] = 0;
  }
  normalise(p);
}

void keep_min_p(std::vector<double>& p, double min_p) {
  if (min_p == 0) return;
  const double least = min_p * *std::ranges::max_element(p);
  for (double& value : p) value = value < least ? 0 : value;
  normalise(p);
}

}  // namespace

std::vector<double> sampling_distribution(std::span<const float> logits, const GenerationConfig& config) {
  std::vector<double> p = models::softmax(logits, config.temperature);
  keep_top_k(p, config.top_k);
  keep_top_p(p, config.top_p);
  keep_min_p(p, config.min_p);
  return p;
}

int32_t draw(std::span<const double> probabilities, double uniform) {
  double sum = 0;
  int32_t last = 0;
  for (size_t token = 0; token < probabilities.size(); ++token) {
    if (probabilities[token] == 0) continue;
    last = static_cast<int32_t>(token);
    sum += probabilities[token];
    if (uniform < sum) break;
  }
  return last;
}

}  // namespace suanli::infer
