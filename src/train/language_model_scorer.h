/// What language models are scored by, whichever tokens they guess; internal to train/.
#pragma once

#include "train/task_parts.h"

namespace suanli {

/// Mean loss, accuracy and perplexity of the guessed tokens: those that `inputs` names in rows, with their ids in
/// labels.
class LanguageModelScorer final : public Scorer {
 public:
  using InputsOf = LossInputs (*)(const models::Model& model, const Batch& batch);
  using HeadOf = models::VocabularyHead (*)(const models::Model& model, const LossInputs& inputs, const nn::Mode& mode);

  /// Of `model`, which must outlive it.
  LanguageModelScorer(const models::Model& model, InputsOf inputs, HeadOf head)
      : model_(model), inputs_(inputs), head_(head) {}
  void add(const Batch& batch, const nn::Mode& mode) override;
  Scores scores() const override;

 private:
  void add(const Tensor& logits, const Tensor& labels);

  const models::Model& model_;
  InputsOf inputs_;
  HeadOf head_;
  MeanLoss loss_;
  int64_t right_ = 0;
};

}  // namespace suanli
