#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

/// a / b, or 0 where b is 0: scikit-learn's zero_division = 0.
double ratio(int64_t a, int64_t b) { return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b); }

/// Ranks from 1 in the order of values; equal values share the mean of their ranks.
std::vector<double> ranks(const std::vector<float>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double shared = 0.5 * static_cast<double>(begin + 1 + end);
    for (; begin < end; ++begin) rank[order[begin]] = shared;
  }
  return rank;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double cov = 0, var_a = 0, var_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    cov += (a[i] - mean_a) * (b[i] - mean_b);
    var_a += (a[i] - mean_a) * (a[i] - mean_a);
    var_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return cov / std::sqrt(var_a * var_b);
}

}  // namespace

double mean_of_defined(std::span<const double> values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}

const double* find_score(const Scores& scores, std::string_view name) {
  for (const auto& [key, value] : scores) {
    if (key == name) return &value;
  }
  return nullptr;
}

PrecisionRecall precision_recall(const ClassCounts& c) {
  return {ratio(c.true_positive, c.true_positive + c.false_positive), ratio(c.true_positive, c.support()),
          ratio(2 * c.true_positive, 2 * c.true_positive + c.false_positive + c.false_negative)};
}

PrecisionRecall average(std::span<const ClassCounts> classes, Average kind) {
  if (kind == Average::micro) {
    ClassCounts sum;
    for (const ClassCounts& c : classes) {
      sum.true_positive += c.true_positive;
      sum.false_positive += c.false_positive;
      sum.false_negative += c.false_negative;
    }
    return precision_recall(sum);
  }
  PrecisionRecall mean;
  double weights = 0;
  for (const ClassCounts& c : classes) {
    if (c.support() + c.false_positive == 0) continue;  // seen nowhere
    const double weight = kind == Average::macro ? 1.0 : static_cast<double>(c.support());
    const PrecisionRecall one = precision_recall(c);
    mean.precision += weight * one.precision;
    mean.recall += weight * one.recall;
    mean.f1 += weight * one.f1;
    weights += weight;
  }
  if (weights == 0) return {};
  return {mean.precision / weights, mean.recall / weights, mean.f1 / weights};
}

ConfusionMatrix::ConfusionMatrix(int64_t classes) : classes_(classes) {
  if (classes < 1) throw UserError("metrics", concat("expected at least one class, got ", classes));
  counts_.resize(static_cast<size_t>(classes * classes));
}

void ConfusionMatrix::add(int64_t truth, int64_t prediction) {
  if (truth < 0 || truth >= classes_ || prediction < 0 || prediction >= classes_) {
    throw UserError("metrics", concat("expected classes in 0..", classes_ - 1, ", got truth ", truth,
                                      " and prediction ", prediction, "; check the label column"));
  }
  ++counts_[static_cast<size_t>(truth * classes_ + prediction)];
  ++total_;
}

double ConfusionMatrix::accuracy() const {
  int64_t right = 0;
  for (int64_t c = 0; c < classes_; ++c) right += at(c, c);
  return static_cast<double>(right) / static_cast<double>(total_);
}

double ConfusionMatrix::matthews() const {
  double right = 0, both = 0, truths_squared = 0, predictions_squared = 0;
  const double n = static_cast<double>(total_);
  for (const ClassCounts& c : per_class()) {
    const double truths = static_cast<double>(c.support());
    const double predictions = static_cast<double>(c.true_positive + c.false_positive);
    right += static_cast<double>(c.true_positive);
    both += truths * predictions;
    truths_squared += truths * truths;
    predictions_squared += predictions * predictions;
  }
  const double spread = (n * n - truths_squared) * (n * n - predictions_squared);
  return spread == 0 ? 0.0 : (right * n - both) / std::sqrt(spread);
}

std::vector<ClassCounts> ConfusionMatrix::per_class() const {
  std::vector<ClassCounts> counts(static_cast<size_t>(classes_));
  for (int64_t t = 0; t < classes_; ++t) {
    for (int64_t p = 0; p < classes_; ++p) {
      if (t == p) {
        counts[static_cast<size_t>(t)].true_positive = at(t, t);
      } else {
        counts[static_cast<size_t>(t)].false_negative += at(t, p);
        counts[static_cast<size_t>(p)].false_positive += at(t, p);
      }
    }
  }
  return counts;
}

Scores ConfusionMatrix::scores() const {
  const std::vector<ClassCounts> classes = per_class();
  const PrecisionRecall macro = average(classes, Average::macro);
  Scores scores = {{"accuracy", accuracy()},
                   {"f1_macro", macro.f1},
                   {"f1_micro", average(classes, Average::micro).f1},
                   {"f1_weighted", average(classes, Average::weighted).f1},
                   {"precision_macro", macro.precision},
                   {"recall_macro", macro.recall},
                   {"matthews_correlation", matthews()}};
  if (classes_ == 2) {
    const PrecisionRecall positive = precision_recall(classes[1]);
    scores.insert(scores.end(), {{"f1", positive.f1}, {"precision", positive.precision}, {"recall", positive.recall}});
  }
  return scores;
}

std::string ConfusionMatrix::text(std::span<const std::string> labels) const {
  const auto label = [&](int64_t c) {
    return static_cast<size_t>(c) < labels.size() ? labels[static_cast<size_t>(c)] : concat(c);
  };
  const auto padded = [](const std::string& cell, size_t width) {
    return std::string(width > cell.size() ? width - cell.size() : 0, ' ') + cell;
  };
  size_t width = 6;
  for (int64_t c = 0; c < classes_; ++c) width = std::max(width, label(c).size() + 1);
  std::string out = padded("truth \\ predicted", width + 12);
  for (int64_t p = 0; p < classes_; ++p) out += padded(label(p), width);
  for (int64_t t = 0; t < classes_; ++t) {
    out += concat("\n", padded(label(t), width + 12));
    for (int64_t p = 0; p < classes_; ++p) out += padded(concat(at(t, p)), width);
  }
  return out + "\n";
}

MultiLabelCounts::MultiLabelCounts(int64_t labels) {
  if (labels < 1) throw UserError("metrics", concat("expected at least one label, got ", labels));
  classes_.resize(static_cast<size_t>(labels));
}

void MultiLabelCounts::add(std::span<const uint8_t> truth, std::span<const uint8_t> prediction) {
  if (truth.size() != classes_.size() || prediction.size() != classes_.size()) {
    throw UserError("metrics", concat("expected ", classes_.size(), " labels for a sample, got ", truth.size(),
                                      " true and ", prediction.size(), " predicted ones"));
  }
  bool exact = true;
  for (size_t i = 0; i < classes_.size(); ++i) {
    if (truth[i] != 0 && prediction[i] != 0) ++classes_[i].true_positive;
    if (truth[i] == 0 && prediction[i] != 0) ++classes_[i].false_positive;
    if (truth[i] != 0 && prediction[i] == 0) ++classes_[i].false_negative;
    exact = exact && (truth[i] != 0) == (prediction[i] != 0);
  }
  ++total_;
  exact_ += exact ? 1 : 0;
}

Scores MultiLabelCounts::scores() const {
  const PrecisionRecall micro = average(classes_, Average::micro);
  // Every label exists by construction, so macro and weighted means run over all of them, as scikit-learn's do.
  double macro = 0, weighted = 0, support = 0;
  for (const ClassCounts& c : classes_) {
    const double f1 = precision_recall(c).f1;
    macro += f1 / static_cast<double>(classes_.size());
    weighted += f1 * static_cast<double>(c.support());
    support += static_cast<double>(c.support());
  }
  return {{"accuracy", static_cast<double>(exact_) / static_cast<double>(total_)},
          {"f1", micro.f1},
          {"precision", micro.precision},
          {"recall", micro.recall},
          {"f1_macro", macro},
          {"f1_weighted", support == 0 ? 0.0 : weighted / support}};
}

void RegressionCounts::add(float truth, float prediction) {
  const double t = truth, p = prediction;
  ++total_;
  squared_ += (t - p) * (t - p);
  absolute_ += std::abs(t - p);
  const double n = static_cast<double>(total_);
  const double step_t = t - mean_t_, step_p = p - mean_p_;
  mean_t_ += step_t / n;
  mean_p_ += step_p / n;
  var_t_ += step_t * (t - mean_t_);
  var_p_ += step_p * (p - mean_p_);
  cov_ += step_t * (p - mean_p_);
  truth_.push_back(truth);
  prediction_.push_back(prediction);
}

double RegressionCounts::mse() const { return squared_ / static_cast<double>(total_); }

double RegressionCounts::mae() const { return absolute_ / static_cast<double>(total_); }

double RegressionCounts::r2() const {
  return var_t_ > 0 ? 1 - squared_ / var_t_ : std::numeric_limits<double>::quiet_NaN();
}

double RegressionCounts::pearson() const { return cov_ / std::sqrt(var_t_ * var_p_); }

double RegressionCounts::spearman() const {
  if (std::isnan(squared_)) return squared_;  // a NaN has no rank
  return correlation(ranks(truth_), ranks(prediction_));
}

Scores RegressionCounts::scores() const {
  return {{"mse", mse()}, {"rmse", std::sqrt(mse())}, {"mae", mae()},
          {"r2", r2()},   {"pearson", pearson()},     {"spearman", spearman()}};
}

double MeanLoss::perplexity() const { return std::exp(mean()); }

}  // namespace suanli
