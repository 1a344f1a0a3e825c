#include "train/classification.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

/// Of each text or pair of texts.
class SequenceClassification final : public Classification {
 public:
  explicit SequenceClassification(TaskParts parts)
      : Classification(*parts.model, parts.kind.labels, parts.options.label_smoothing), parts_(std::move(parts)) {}

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

  std::string text_of(const Batch& batch, size_t b) const override {
    const auto begin = static_cast<size_t>(batch.offsets[b]), end = static_cast<size_t>(batch.offsets[b + 1]);
    return parts_.tokenizer.decode(std::span(batch.ids).subspan(begin, end - begin));
  }

  Tensor logits(const LossInputs& inputs, const nn::Mode& mode) const override {
    return model().network->sequence_logits(inputs.sequences(), mode);
  }

 protected:
  LossInputs examples(const Batch& batch) const override { return tokens_of(batch); }

 private:
  TaskParts parts_;
};

}  // namespace

std::unique_ptr<Task> make_sequence_classification(TaskParts parts) {
  return std::make_unique<SequenceClassification>(std::move(parts));
}

}  // namespace suanli
