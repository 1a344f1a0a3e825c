/// What probabilities of a positive class are worth: ranking, calibration, and the threshold to decide by.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "train/metrics.h"

namespace suanli {

/// What a decision threshold makes largest: the F1 of the positive class, or Youden's J = TPR - FPR.
enum class ThresholdRule : uint8_t { f1, youden };

/// "f1" or "youden". Throws UserError.
ThresholdRule threshold_rule_named(std::string_view name);

/// The probabilities and truths of a two-class set, kept as five bytes a row.
class ProbabilityScores {
 public:
  /// `probability` in [0, 1] that the row is positive; throws UserError for NaN or another range.
  void add(float probability, bool positive);
  int64_t total() const { return static_cast<int64_t>(rows_.size()); }

  /// In this order; NaN where a class has no row (brier and calibration: where there is no row):
  ///   roc_auc       area under TPR over FPR, ties counted half (Mann and Whitney; sklearn.metrics.roc_auc_score)
  ///   ks            largest |TPR - FPR| over all thresholds (Kolmogorov and Smirnov)
  ///   pr_auc        average precision: sum (R_n - R_{n-1}) P_n (sklearn.metrics.average_precision_score)
  ///   recall_at_10  recall among the tenth of the rows with the highest probability; a tie at the border counts by its
  ///                 share
  ///   brier         mean (probability - truth)^2
  ///   calibration_error  sum over 15 bins of equal width n_b / n |mean probability - share of positives| (Guo et al.
  ///                 2017, of the positive class)
  Scores scores() const;

  /// (FPR, TPR) at each probability seen, highest first, from (0, 0) to (1, 1), as sklearn.metrics.roc_curve without
  /// drop_intermediate. Empty where a class has no row.
  std::vector<std::pair<double, double>> roc_curve() const;
  /// (recall, precision), from (0, 1) on, as sklearn.metrics.precision_recall_curve, whose order is the other one.
  /// Empty without positives.
  std::vector<std::pair<double, double>> precision_recall_curve() const;
  /// `count` bins of equal width over [0, 1], as sklearn.calibration.calibration_curve (an edge belongs to the bin
  /// above here, below there).
  struct Bin {
    int64_t rows = 0;
    double probabilities = 0, positives = 0;  ///< sums
  };
  std::vector<Bin> bins(int count) const;

  /// The threshold t such that deciding for the positive class at probability >= t is best by `rule`: halfway between
  /// two probabilities seen. The lowest of equals; 0.5 where a class has no row.
  float best_threshold(ThresholdRule rule) const;

 private:
  struct Row {
    float probability;
    bool positive;
  };
  struct Step;
  std::vector<Step> steps() const;

  std::vector<Row> rows_;
  int64_t positives_ = 0;
};

}  // namespace suanli
