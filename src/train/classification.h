/// Classes and numbers of what a network reads, a text or a picture; internal to train/.
#pragma once

#include <memory>

#include "models/load.h"
#include "train/task.h"

namespace suanli {

/// One class, several classes or one number for each example. The model outlives it.
class Classification : public Task {
 public:
  Classification(const models::Model& model, LabelKind labels, double label_smoothing)
      : model_(model), labels_(labels), label_smoothing_(label_smoothing) {}

  int64_t items(const Batch& batch) const override { return batch.size(); }
  /// Beside what the network reads the class ids or shares of classes, or the numbers that its logits shall be.
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// [B, labels] f32.
  virtual Tensor logits(const LossInputs& inputs, const nn::Mode& mode) const = 0;
  /// Example `b` of a batch as a person reads it; "" where it is no text.
  virtual std::string text_of(const Batch& batch, size_t b) const {
    static_cast<void>(batch), static_cast<void>(b);
    return "";
  }
  const models::Model& model() const { return model_; }
  LabelKind labels() const { return labels_; }

 protected:
  /// What the network reads of a batch.
  virtual LossInputs examples(const Batch& batch) const = 0;

 private:
  const models::Model& model_;
  LabelKind labels_;
  double label_smoothing_;
};

}  // namespace suanli
