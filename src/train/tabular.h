/// Classification and regression of the rows of a table.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/tabular/config.h"
#include "train/dataset.h"
#include "train/probability_scores.h"
#include "train/task.h"

namespace suanli {

struct TabularOptions {
  double gamma = 0;                       ///< of the focal loss
  std::vector<float> class_weights = {};  ///< one a class, or empty
  double label_smoothing = 0;             ///< 0 beside gamma or class weights
};

/// The task over a model of type tabular_mlp, which must outlive it. It scores what suanli prints of a table: losses
/// without weights, of two classes also probabilities and decisions by the threshold, numbers in their own unit.
class Tabular : public Task {
 public:
  Tabular(const models::Model& model, TabularOptions options);

  /// Rows come from prepare_table.cpp, not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  int64_t items(const Batch& batch) const override { return batch.size(); }
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// [B, outputs] f32 on the host: logits, or the scaled number.
  std::vector<float> outputs(const Batch& batch, const nn::Mode& mode) const;
  const models::TabularConfig& config() const { return config_; }
  const TabularOptions& options() const { return options_; }

  models::TabularDecision decide(std::span<const float> logits) const { return models::decide(logits, threshold_); }

  /// The probability from which on the second of two classes is given.
  double threshold() const { return threshold_; }
  void set_threshold(double threshold) { threshold_ = threshold; }

 private:
  Tensor logits(const LossInputs& inputs, const nn::Mode& mode) const;

  const models::Model& model_;
  const models::TabularConfig config_;
  TabularOptions options_;
  Tensor class_weights_;
  double threshold_;
};

/// n / (classes * n_c) for each class c, as scikit-learn's class_weight="balanced"; 0 for a class without rows.
std::vector<float> balanced_weights(const Dataset& data, int64_t classes);

/// The best threshold (probability_scores.h) over a set of two classes.
double best_threshold(const Tabular& task, const Dataset& data, ThresholdRule rule, DType dtype);

}  // namespace suanli
