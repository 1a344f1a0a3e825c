#include "train/classification.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "ops/loss.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

/// The mean loss of a batch: cross-entropy of one class or of shares of classes, binary cross-entropies of several, or
/// the squared error of a number. `normalizer` counts sequences; 0 means those of the batch.
Tensor loss_of(const Tensor& logits, const LossInputs& inputs, LabelKind labels, double normalizer, double smoothing) {
  if (inputs.labels.defined()) {
    return ops::cross_entropy(logits, inputs.labels, {.label_smoothing = smoothing, .normalizer = normalizer});
  }
  const Tensor target = inputs.targets.reshape(logits.shape()).on(logits.device());
  if (labels == LabelKind::single) return ops::soft_cross_entropy(logits, target, normalizer);
  if (labels == LabelKind::score) return ops::mse_loss(logits, target, normalizer);
  return ops::bce_with_logits(logits, target, normalizer * static_cast<double>(logits.dim(1)));
}

class ClassificationScorer final : public Scorer {
 public:
  ClassificationScorer(const Classification& task, bool keep)
      : task_(task),
        keep_(keep),
        width_(static_cast<int64_t>(task.model().config().labels.size())),
        matrix_(width_),
        several_(width_) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = task_.inputs(batch);
    const Tensor logits = task_.logits(inputs, mode);
    loss_.add(number_of(loss_of(logits, inputs, task_.labels(), 0, 0)), static_cast<double>(batch.size()));
    const std::vector<float> values = host_values(logits);
    for (int64_t b = 0; b < batch.size(); ++b) count(batch, values, b);
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = task_.labels() == LabelKind::single  ? matrix_.scores()
                        : task_.labels() == LabelKind::multi ? several_.scores()
                                                             : numbers_.scores();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string report() const override {
    constexpr int64_t kWidest = 20;  // beyond that a table helps nobody
    const bool shown = task_.labels() == LabelKind::single && width_ <= kWidest && matrix_.total() > 0;
    return shown ? matrix_.text(task_.model().config().labels) : "";
  }

 private:
  const std::string& name(int64_t label) const { return task_.model().config().labels[static_cast<size_t>(label)]; }

  void count(const Batch& batch, const std::vector<float>& values, int64_t b) {
    const auto at = static_cast<size_t>(b);
    std::string text, label_text;
    if (task_.labels() == LabelKind::single) {
      const int64_t predicted = largest(values, b, width_);
      matrix_.add(static_cast<int64_t>(batch.targets[at]), predicted);
      text = name(predicted);
      label_text = name(static_cast<int64_t>(batch.targets[at]));
    } else if (task_.labels() == LabelKind::score) {
      numbers_.add(batch.targets[at], values[at]);
      text = number_text(values[at]);
      label_text = number_text(batch.targets[at]);
    } else {
      std::vector<uint8_t> truth, predicted;
      for (int64_t label = 0; label < width_; ++label) {
        const auto i = static_cast<size_t>(b * width_ + label);
        truth.push_back(batch.targets[i] > 0.5F ? 1 : 0);
        predicted.push_back(values[i] > 0 ? 1 : 0);  // a probability over one half
        if (predicted.back() != 0) text += concat(text.empty() ? "" : "|", name(label));
        if (truth.back() != 0) label_text += concat(label_text.empty() ? "" : "|", name(label));
      }
      several_.add(truth, predicted);
    }
    if (keep_) keep(batch, values, at, label_text, text);
  }

  void keep(const Batch& batch, const std::vector<float>& values, size_t b, const std::string& label,
            const std::string& prediction) {
    predictions_.emplace_back(batch.rows[b], prediction);
    Answer& answer = answers_.rows.emplace_back();
    answer = {.row = batch.rows[b], .label = label, .prediction = prediction};
    answer.input = task_.text_of(batch, b);
    if (task_.labels() == LabelKind::score) return;
    answers_.several = task_.labels() == LabelKind::multi;
    answers_.classes = task_.model().config().labels;
    const auto width = static_cast<size_t>(width_);
    answer.probabilities = class_probabilities(std::span(values).subspan(b * width, width), answers_.several);
  }

  const Classification& task_;
  bool keep_;
  int64_t width_;
  MeanLoss loss_;
  ConfusionMatrix matrix_;
  MultiLabelCounts several_;
  RegressionCounts numbers_;
};

}  // namespace

LossInputs Classification::inputs(const Batch& batch) const {
  LossInputs inputs = examples(batch);
  if (labels_ == LabelKind::single) {
    const std::vector<int32_t> classes(batch.targets.begin(), batch.targets.end());
    inputs.labels = integers(classes);
    inputs.classes = static_cast<int64_t>(model_.config().labels.size());
  } else {
    inputs.targets = numbers(batch.targets);
  }
  return inputs;
}

Tensor Classification::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  return loss_of(logits(inputs, mode), inputs, labels_, normalizer, label_smoothing_);
}

std::unique_ptr<Scorer> Classification::scorer(bool keep_predictions) const {
  return std::make_unique<ClassificationScorer>(*this, keep_predictions);
}

}  // namespace suanli
