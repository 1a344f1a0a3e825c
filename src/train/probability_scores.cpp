#include "train/probability_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {

/// All rows at or above one probability: true and false positives of that threshold.
struct ProbabilityScores::Step {
  float probability;
  double true_positives, false_positives;
};

ThresholdRule threshold_rule_named(std::string_view name) {
  if (name == "f1") return ThresholdRule::f1;
  if (name == "youden") return ThresholdRule::youden;
  throw UserError("threshold", concat("expected f1 or youden, got \"", name, '"'));
}

void ProbabilityScores::add(float probability, bool positive) {
  if (!(probability >= 0 && probability <= 1)) {
    throw UserError("metrics", concat("expected a probability in 0..1, got ", probability,
                                      "; the model may have diverged: try a smaller learning_rate"));
  }
  rows_.push_back({probability, positive});
  positives_ += positive ? 1 : 0;
}

std::vector<ProbabilityScores::Step> ProbabilityScores::steps() const {
  std::vector<Row> sorted = rows_;
  std::sort(sorted.begin(), sorted.end(), [](const Row& a, const Row& b) { return a.probability > b.probability; });
  std::vector<Step> steps;
  double hits = 0, misses = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    (sorted[i].positive ? hits : misses) += 1;
    const bool last = i + 1 == sorted.size() || sorted[i + 1].probability != sorted[i].probability;
    if (last) steps.push_back({sorted[i].probability, hits, misses});
  }
  return steps;
}

Scores ProbabilityScores::scores() const {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kShare = 0.1;
  const auto rows = static_cast<double>(total()), positives = static_cast<double>(positives_);
  const double negatives = rows - positives;
  double area = 0, distance = 0, precision_area = 0, recall = 0;
  Step before = {1, 0, 0};
  for (const Step& step : steps()) {
    const double hits = step.true_positives - before.true_positives;
    const double misses = step.false_positives - before.false_positives, seen = hits + misses;
    area += misses * (before.true_positives + hits / 2);
    distance = std::max(distance, std::abs(step.true_positives / positives - step.false_positives / negatives));
    precision_area += hits * step.true_positives / (step.true_positives + step.false_positives);
    const double room = kShare * rows - before.true_positives - before.false_positives;
    recall += hits * std::clamp(room / seen, 0.0, 1.0);
    before = step;
  }

  constexpr int kBins = 15;
  double squares = 0, calibration = 0;
  for (const Row& row : rows_) {
    const double p = row.probability, truth = row.positive ? 1 : 0;
    squares += (p - truth) * (p - truth);
  }
  for (const Bin& bin : bins(kBins)) calibration += std::abs(bin.probabilities - bin.positives);

  const bool both = positives > 0 && negatives > 0;
  return {{"roc_auc", both ? area / (positives * negatives) : kNan},
          {"ks", both ? distance : kNan},
          {"pr_auc", both ? precision_area / positives : kNan},
          {"recall_at_10", positives > 0 ? recall / positives : kNan},
          {"brier", squares / rows},
          {"calibration_error", calibration / rows}};
}

std::vector<std::pair<double, double>> ProbabilityScores::roc_curve() const {
  const auto positives = static_cast<double>(positives_), negatives = static_cast<double>(total()) - positives;
  if (positives == 0 || negatives == 0) return {};
  std::vector<std::pair<double, double>> curve = {{0, 0}};
  for (const Step& step : steps())
    curve.emplace_back(step.false_positives / negatives, step.true_positives / positives);
  return curve;
}

std::vector<std::pair<double, double>> ProbabilityScores::precision_recall_curve() const {
  if (positives_ == 0) return {};
  std::vector<std::pair<double, double>> curve = {{0, 1}};
  for (const Step& step : steps()) {
    curve.emplace_back(step.true_positives / static_cast<double>(positives_),
                       step.true_positives / (step.true_positives + step.false_positives));
  }
  return curve;
}

std::vector<ProbabilityScores::Bin> ProbabilityScores::bins(int count) const {
  std::vector<Bin> all(static_cast<size_t>(count));
  for (const Row& row : rows_) {
    const double p = row.probability;
    Bin& bin = all[std::min(all.size() - 1, static_cast<size_t>(p * count))];
    ++bin.rows;
    bin.probabilities += p;
    bin.positives += row.positive ? 1 : 0;
  }
  return all;
}

float ProbabilityScores::best_threshold(ThresholdRule rule) const {
  const auto positives = static_cast<double>(positives_), negatives = static_cast<double>(total()) - positives;
  if (positives == 0 || negatives == 0) return 0.5F;
  const std::vector<Step> all = steps();
  double best = -1;
  float threshold = 0.5F;
  for (size_t i = 0; i < all.size(); ++i) {
    const double hits = all[i].true_positives, misses = all[i].false_positives;
    const double value =
        rule == ThresholdRule::f1 ? 2 * hits / (hits + misses + positives) : hits / positives - misses / negatives;
    if (value < best) continue;
    best = value;
    const float below = i + 1 < all.size() ? all[i + 1].probability : 0.0F;
    threshold = 0.5F * (all[i].probability + below);
    if (threshold <= below) threshold = all[i].probability;  // neighbours among floats
  }
  return threshold;
}

}  // namespace suanli
