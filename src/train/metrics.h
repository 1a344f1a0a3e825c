/// Evaluation scores that are counted batch by batch: no logits are kept, whatever the size of the evaluation set.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace suanli {

/// Named numbers in the order in which they are shown, without a prefix: {"accuracy", 0.91}, ... A score that is not
/// defined for the data seen (such as the correlation of constants) is NaN.
using Scores = std::vector<std::pair<std::string, double>>;

/// Of those that are not NaN; NaN where none is.
double mean_of_defined(std::span<const double> values);

/// The value called `name`, or null.
const double* find_score(const Scores& scores, std::string_view name);

/// How scores of several classes become one: every class alike, every decision alike, or classes by their frequency.
enum class Average : uint8_t { macro, micro, weighted };

/// Precision tp / (tp + fp), recall tp / (tp + fn), F1 2 tp / (2 tp + fp + fn); 0 where the denominator is.
struct PrecisionRecall {
  double precision = 0, recall = 0, f1 = 0;
};

/// What was decided about one class: right, wrongly given, wrongly missed.
struct ClassCounts {
  int64_t true_positive = 0, false_positive = 0, false_negative = 0;
  int64_t support() const { return true_positive + false_negative; }
};

PrecisionRecall precision_recall(const ClassCounts& counts);

/// The average over classes as scikit-learn's precision_recall_fscore_support with zero_division = 0: classes that
/// occur in neither truth nor prediction are left out; micro adds the counts first.
PrecisionRecall average(std::span<const ClassCounts> classes, Average kind);

/// Counts of (truth, prediction) pairs of a single-label classification; one row per true class.
class ConfusionMatrix {
 public:
  /// `classes` >= 1 (throws UserError).
  explicit ConfusionMatrix(int64_t classes);
  /// Both in [0, classes); throws UserError naming the value and the range.
  void add(int64_t truth, int64_t prediction);
  int64_t classes() const { return classes_; }
  int64_t total() const { return total_; }
  int64_t at(int64_t truth, int64_t prediction) const {
    return counts_[static_cast<size_t>(truth * classes_ + prediction)];
  }
  /// Share on the diagonal; NaN before the first pair.
  double accuracy() const;
  /// Matthews correlation in its form for any number of classes (Gorodkin 2004); 0 when truth or prediction is
  /// constant.
  double matthews() const;
  /// Counts per class.
  std::vector<ClassCounts> per_class() const;
  /// accuracy, f1/precision/recall as macro, micro F1, weighted F1, matthews_correlation; with two classes also
  /// f1, precision, recall of class 1, as scikit-learn's default for binary labels.
  Scores scores() const;
  /// The matrix with its labels as lines of text, truth down, prediction across.
  std::string text(std::span<const std::string> labels) const;

 private:
  int64_t classes_;
  int64_t total_ = 0;
  std::vector<int64_t> counts_;
};

/// Multi-label classification: each of `labels` labels is given or not, independently.
class MultiLabelCounts {
 public:
  explicit MultiLabelCounts(int64_t labels);
  /// One sample: `truth` and `prediction` hold `labels` zeros and ones. Throws UserError for another length.
  void add(std::span<const uint8_t> truth, std::span<const uint8_t> prediction);
  /// accuracy (share of samples with all labels right), f1, precision, recall as micro, f1_macro, f1_weighted.
  Scores scores() const;

 private:
  std::vector<ClassCounts> classes_;
  int64_t total_ = 0, exact_ = 0;
};

/// Numbers against numbers: mean squared and absolute error and Pearson's correlation in one pass (Welford 1962),
/// Spearman's from the values kept as two floats each.
class RegressionCounts {
 public:
  void add(float truth, float prediction);
  int64_t total() const { return total_; }
  double mse() const;
  double mae() const;
  /// 1 - sum (truth - prediction)^2 / sum (truth - mean truth)^2, as sklearn.metrics.r2_score; NaN for a constant
  /// truth.
  double r2() const;
  /// NaN when either side is constant or holds NaN, as scipy.stats.pearsonr.
  double pearson() const;
  /// Pearson's correlation of the ranks, ties sharing their mean rank, as scipy.stats.spearmanr.
  double spearman() const;
  /// mse, rmse, mae, r2, pearson, spearman.
  Scores scores() const;

 private:
  int64_t total_ = 0;
  double squared_ = 0, absolute_ = 0;
  double mean_t_ = 0, mean_p_ = 0, var_t_ = 0, var_p_ = 0, cov_ = 0;
  std::vector<float> truth_, prediction_;
};

/// The mean of losses that stand for different numbers of tokens or samples.
class MeanLoss {
 public:
  /// A loss that is the mean over `weight` items.
  void add(double mean, double weight) {
    sum_ += mean * weight;
    weight_ += weight;
  }
  double weight() const { return weight_; }
  /// NaN before the first item.
  double mean() const { return sum_ / weight_; }
  /// exp(mean): perplexity when the losses are mean negative log likelihoods of tokens.
  double perplexity() const;

 private:
  double sum_ = 0, weight_ = 0;
};

}  // namespace suanli
