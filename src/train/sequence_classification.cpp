#include "autograd/tape.h"
#include "base/concat.h"
#include "ops/loss.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

/// Beside the tokens the class ids of a batch, or the numbers that its logits shall be.
LossInputs class_inputs(const TaskParts& parts, const Batch& batch) {
  LossInputs inputs = tokens_of(batch);
  if (parts.kind.labels == LabelKind::single) {
    const std::vector<int32_t> classes(batch.targets.begin(), batch.targets.end());
    inputs.labels = integers(classes);
    inputs.classes = static_cast<int64_t>(parts.model->config().labels.size());
  } else {
    inputs.targets = numbers(batch.targets);
  }
  return inputs;
}

/// The mean loss of a batch: cross-entropy of one class, binary cross-entropies of several, or the squared error of a
/// number. `normalizer` counts sequences; 0 means those of the batch.
Tensor loss_of(const Tensor& logits, const LossInputs& inputs, LabelKind labels, double normalizer, double smoothing) {
  if (labels == LabelKind::single) {
    return ops::cross_entropy(logits, inputs.labels, {.label_smoothing = smoothing, .normalizer = normalizer});
  }
  const Tensor target = inputs.targets.reshape(logits.shape()).on(logits.device());
  if (labels == LabelKind::score) return ops::mse_loss(logits, target, normalizer);
  return ops::bce_with_logits(logits, target, normalizer * static_cast<double>(logits.dim(1)));
}

class SequenceScorer final : public Scorer {
 public:
  SequenceScorer(const TaskParts& parts, bool keep)
      : parts_(parts),
        keep_(keep),
        width_(static_cast<int64_t>(parts.model->config().labels.size())),
        matrix_(width_),
        several_(width_) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = class_inputs(parts_, batch);
    const Tensor logits = parts_.model->network->sequence_logits(inputs.sequences(), mode);
    loss_.add(number_of(loss_of(logits, inputs, parts_.kind.labels, 0, 0)), static_cast<double>(batch.size()));
    const std::vector<float> values = host_values(logits);
    for (int64_t b = 0; b < batch.size(); ++b) count(batch, values, b);
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = parts_.kind.labels == LabelKind::single  ? matrix_.scores()
                        : parts_.kind.labels == LabelKind::multi ? several_.scores()
                                                                 : numbers_.scores();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string report() const override {
    constexpr int64_t kWidest = 20;  // beyond that a table helps nobody
    const bool shown = parts_.kind.labels == LabelKind::single && width_ <= kWidest && matrix_.total() > 0;
    return shown ? matrix_.text(parts_.model->config().labels) : "";
  }

 private:
  const std::string& name(int64_t label) const { return parts_.model->config().labels[static_cast<size_t>(label)]; }

  void count(const Batch& batch, const std::vector<float>& values, int64_t b) {
    const auto at = static_cast<size_t>(b);
    std::string text;
    if (parts_.kind.labels == LabelKind::single) {
      const int64_t predicted = largest(values, b, width_);
      matrix_.add(static_cast<int64_t>(batch.targets[at]), predicted);
      text = name(predicted);
    } else if (parts_.kind.labels == LabelKind::score) {
      numbers_.add(batch.targets[at], values[at]);
      text = number_text(values[at]);
    } else {
      std::vector<uint8_t> truth, predicted;
      for (int64_t label = 0; label < width_; ++label) {
        const auto i = static_cast<size_t>(b * width_ + label);
        truth.push_back(batch.targets[i] > 0.5F ? 1 : 0);
        predicted.push_back(values[i] > 0 ? 1 : 0);  // a probability over one half
        if (predicted.back() != 0) text += concat(text.empty() ? "" : "|", name(label));
      }
      several_.add(truth, predicted);
    }
    if (keep_) predictions_.emplace_back(batch.rows[at], text);
  }

  const TaskParts& parts_;
  bool keep_;
  int64_t width_;
  MeanLoss loss_;
  ConfusionMatrix matrix_;
  MultiLabelCounts several_;
  RegressionCounts numbers_;
};

/// One class, several classes or one number for each text or pair of texts.
class SequenceClassification final : public Task {
 public:
  explicit SequenceClassification(TaskParts parts) : parts_(std::move(parts)) {}

  EncodedExample encode(const Example& example, const std::string& where) const override {
    EncodedExample out = tokenized(encoded_text(parts_, example));
    if (parts_.kind.labels == LabelKind::score) {
      out.targets = {static_cast<float>(example.score)};
    } else if (parts_.kind.labels == LabelKind::single) {
      out.targets = {static_cast<float>(parts_.labels.id(example.labels.empty() ? "" : example.labels.front(), where))};
    } else {
      out.targets.assign(static_cast<size_t>(parts_.labels.size()), 0.0F);
      for (const std::string& label : example.labels) {
        out.targets[static_cast<size_t>(parts_.labels.id(label, where))] = 1.0F;
      }
    }
    return out;
  }

  int64_t items(const Batch& batch) const override { return batch.size(); }

  LossInputs inputs(const Batch& batch) const override { return class_inputs(parts_, batch); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    return loss_of(parts_.model->network->sequence_logits(inputs.sequences(), mode), inputs, parts_.kind.labels,
                   normalizer, parts_.options.label_smoothing);
  }

  std::unique_ptr<Scorer> scorer(bool keep) const override { return std::make_unique<SequenceScorer>(parts_, keep); }

 private:
  TaskParts parts_;
};

}  // namespace

std::unique_ptr<Task> make_sequence_classification(TaskParts parts) {
  return std::make_unique<SequenceClassification>(std::move(parts));
}

}  // namespace suanli
