#include "infer/attribution.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "infer/prediction.h"
#include "ops/arithmetic.h"

namespace suanli::infer {

namespace {

constexpr int64_t kTokensTogether = 1024;  // what lies on the tape at once

/// Copies of one sequence, each with its own embeddings.
class Copies {
 public:
  Copies(const models::Model& model, const Encoding& encoding, int32_t pad_id)
      : model_(model), encoding_(encoding), tokens_(std::ssize(encoding.ids)) {
    const NoGradient guard;
    std::vector<int32_t> baseline = encoding.ids;
    for (size_t t = 0; t < baseline.size(); ++t) {
      if (encoding.special[t] == 0) baseline[t] = pad_id;
    }
    own_ = vectors(encoding.ids);
    baseline_ = vectors(baseline);
    width_ = std::ssize(own_) / tokens_;
  }

  int64_t tokens() const { return tokens_; }
  size_t width() const { return static_cast<size_t>(width_); }
  const std::vector<float>& own() const { return own_; }
  const std::vector<float>& baseline() const { return baseline_; }
  /// How many copies are computed at once.
  size_t together() const { return static_cast<size_t>(std::max<int64_t>(1, kTokensTogether / tokens_)); }

  Tensor leaf(std::span<const float> values) const {
    return Tensor::from(values, {std::ssize(values) / width_, width_});
  }

  /// Logits [copies, labels] of embeddings [copies * T, H].
  Tensor logits(const Tensor& values) const {
    const auto copies = static_cast<size_t>(values.dim(0) / tokens_);
    std::vector<int32_t> ids, types, positions, offsets = {0};
    for (size_t c = 0; c < copies; ++c) {
      ids.insert(ids.end(), encoding_.ids.begin(), encoding_.ids.end());
      types.insert(types.end(), encoding_.types.begin(), encoding_.types.end());
      for (int64_t t = 0; t < tokens_; ++t) positions.push_back(static_cast<int32_t>(t));
      offsets.push_back(static_cast<int32_t>(ids.size()));
    }
    return model_.network->sequence_logits_of(values, models::pack(ids, types, positions, offsets), {});
  }

 private:
  std::vector<float> vectors(const std::vector<int32_t>& ids) const {
    std::vector<int32_t> positions(ids.size());
    std::iota(positions.begin(), positions.end(), 0);
    const std::vector<int32_t> offsets = {0, static_cast<int32_t>(ids.size())};
    return values_on_host(model_.network->word_vectors(models::pack(ids, encoding_.types, positions, offsets)));
  }

  const models::Model& model_;
  const Encoding& encoding_;
  int64_t tokens_, width_ = 0;
  std::vector<float> own_, baseline_;
};

/// d (sum of the weighted logits of `label`) / d embeddings, summed over the copies: [T * H].
std::vector<double> weighted_gradient(const Copies& copies, const Quadrature& rule, int64_t label) {
  std::vector<double> sum(copies.own().size());
  const size_t n = rule.nodes.size();
  for (size_t first = 0; first < n; first += copies.together()) {
    const size_t last = std::min(n, first + copies.together());
    std::vector<float> values;
    for (size_t k = first; k < last; ++k) {
      for (size_t i = 0; i < copies.own().size(); ++i) {
        const double from = copies.baseline()[i], to = copies.own()[i];
        values.push_back(static_cast<float>(from + rule.nodes[k] * (to - from)));
      }
    }
    Tensor leaf = copies.leaf(values);
    require_gradient(leaf);
    const Tensor logits = copies.logits(leaf);
    std::vector<float> weights(static_cast<size_t>(logits.elements()));
    for (size_t k = first; k < last; ++k) {
      weights[(k - first) * static_cast<size_t>(logits.dim(1)) + static_cast<size_t>(label)] =
          static_cast<float>(rule.weights[k]);
    }
    backward(logits, Tensor::from(weights, logits.shape()));
    const auto gradient = gradient_of(leaf).host<float>();
    for (size_t i = 0; i < gradient.size(); ++i) sum[i % sum.size()] += static_cast<double>(gradient[i]);
  }
  return sum;
}

/// The logits of `label` of the text without each of its tokens; special ones have that of the whole text.
std::vector<double> without_each(const Copies& copies, const Encoding& encoding, int64_t label, double whole) {
  const NoGradient guard;
  std::vector<double> out(encoding.ids.size(), whole);
  std::vector<size_t> places;
  std::vector<float> values;
  const auto compute = [&] {
    if (places.empty()) return;
    const Tensor logits = copies.logits(copies.leaf(values));
    const std::vector<float> host = values_on_host(logits);
    for (size_t k = 0; k < places.size(); ++k) {
      out[places[k]] = host[k * static_cast<size_t>(logits.dim(1)) + static_cast<size_t>(label)];
    }
    places.clear();
    values.clear();
  };
  for (size_t t = 0; t < encoding.ids.size(); ++t) {
    if (encoding.special[t] != 0) continue;
    const size_t begin = values.size() + t * copies.width();
    values.insert(values.end(), copies.own().begin(), copies.own().end());
    std::copy_n(copies.baseline().begin() + static_cast<std::ptrdiff_t>(t * copies.width()), copies.width(),
                values.begin() + static_cast<std::ptrdiff_t>(begin));
    places.push_back(t);
    if (places.size() == copies.together()) compute();
  }
  compute();
  return out;
}

}  // namespace

Quadrature gauss_legendre(int64_t n) {
  Quadrature rule;
  for (int64_t i = 0; i < n; ++i) {
    // Newton's method on the Legendre polynomial from its usual first guess (Press et al., Numerical Recipes, 4.6).
    double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (static_cast<double>(n) + 0.5));
    double slope = 1;
    for (int step = 0; step < 100; ++step) {
      double p = 1, before = 0;
      for (int64_t j = 0; j < n; ++j) {
        const double next = ((2.0 * static_cast<double>(j) + 1) * x * p - static_cast<double>(j) * before) /
                            (static_cast<double>(j) + 1);
        before = p;
        p = next;
      }
      slope = static_cast<double>(n) * (x * p - before) / (x * x - 1);
      const double change = p / slope;
      x -= change;
      if (std::abs(change) < 1e-15) break;
    }
    rule.nodes.push_back((1 - x) / 2);
    rule.weights.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

Attribution attribute(const models::Model& model, const Encoding& encoding, int32_t pad_id,
                      const AttributionOptions& options) {
  if (options.n_steps < 1 || options.n_steps > 1000) {
    throw UserError("n_steps", concat("expected 1 to 1000, got ", options.n_steps));
  }
  const Copies copies(model, encoding, pad_id);
  Attribution out;
  {
    const NoGradient guard;
    std::vector<float> both = copies.own();
    both.insert(both.end(), copies.baseline().begin(), copies.baseline().end());
    const Tensor logits = copies.logits(copies.leaf(both));
    const std::vector<float> host = values_on_host(logits);
    const auto labels = logits.dim(1);
    if (options.label >= labels) throw UserError("label", concat("expected below ", labels, ", got ", options.label));
    out.label =
        options.label >= 0 ? options.label : std::max_element(host.begin(), host.begin() + labels) - host.begin();
    out.output = host[static_cast<size_t>(out.label)];
    out.baseline_output = host[static_cast<size_t>(labels + out.label)];
  }
  if (options.method == AttributionMethod::occlusion) {
    for (const double rest : without_each(copies, encoding, out.label, out.output)) {
      out.tokens.push_back(out.output - rest);
    }
    return out;
  }
  const std::vector<double> gradient = weighted_gradient(copies, gauss_legendre(options.n_steps), out.label);
  out.tokens.resize(encoding.ids.size());
  for (size_t i = 0; i < gradient.size(); ++i) {
    const double step = static_cast<double>(copies.own()[i]) - static_cast<double>(copies.baseline()[i]);
    out.tokens[i / copies.width()] += step * gradient[i];
  }
  return out;
}

}  // namespace suanli::infer
