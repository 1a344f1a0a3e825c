#include <algorithm>

#include "base/error.h"
#include "data/masking.h"
#include "ops/linear_cross_entropy.h"
#include "train/language_model_scorer.h"

namespace suanli {
namespace {

int64_t masked_tokens(const Batch& batch) {
  return static_cast<int64_t>(batch.token_labels.size()) - std::ranges::count(batch.token_labels, kIgnoredLabel);
}

/// Beside the tokens the places and true ids of the masked ones.
LossInputs mask_inputs(const models::Model& model, const Batch& batch) {
  std::vector<int32_t> rows, labels;
  for (size_t t = 0; t < batch.token_labels.size(); ++t) {
    if (batch.token_labels[t] == kIgnoredLabel) continue;
    rows.push_back(static_cast<int32_t>(t));
    labels.push_back(batch.token_labels[t]);
  }
  LossInputs inputs = tokens_of(batch);
  inputs.rows = integers(rows);
  inputs.labels = integers(labels);
  inputs.classes = model.config().vocab_size;
  return inputs;
}

models::VocabularyHead masked_head(const models::Model& model, const LossInputs& inputs, const nn::Mode& mode) {
  return model.network->masked_lm_head(inputs.sequences(), inputs.rows, mode);
}

/// Masked-language modelling: the hidden tokens are guessed from the others (Devlin et al. 2019).
class MaskedLm final : public Task {
 public:
  explicit MaskedLm(TaskParts parts) : parts_(std::move(parts)) {
    const auto mask = parts_.tokenizer.special_ids().mask;
    if (!mask) throw UserError("masked-lm", "expected a tokenizer with a mask token, such as [MASK]; it has none");
    masking_ = {.probability = parts_.options.mlm_probability,
                .mask_id = *mask,
                .vocab_size = parts_.model->config().vocab_size,
                .seed = parts_.options.seed};
  }

  EncodedExample encode(const Example& example, const std::string&) const override {
    // Running text is joined and cut into blocks later, so nothing is cut here.
    const EncodeOptions options = {.max_length = parts_.options.block_size > 0 ? 0 : parts_.options.max_length};
    return tokenized(parts_.tokenizer.encode(example.text, options));
  }

  std::vector<EncodedExample> arrange(std::vector<EncodedExample> examples) const override {
    return parts_.options.block_size > 0 ? group_texts(examples, parts_.options.block_size) : examples;
  }

  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override {
    EncodedExample example = row;
    mask_tokens(&example, masking_, epoch);
    return example;
  }

  int64_t items(const Batch& batch) const override { return masked_tokens(batch); }

  LossInputs inputs(const Batch& batch) const override { return mask_inputs(*parts_.model, batch); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    const models::VocabularyHead head = masked_head(*parts_.model, inputs, mode);
    return ops::linear_cross_entropy(head.hidden, head.weight, head.bias, inputs.labels,
                                     {.label_smoothing = parts_.options.label_smoothing, .normalizer = normalizer});
  }

  std::unique_ptr<Scorer> scorer(bool) const override {
    return std::make_unique<LanguageModelScorer>(*parts_.model, mask_inputs, masked_head);
  }

 private:
  TaskParts parts_;
  MaskingOptions masking_;
};

}  // namespace

std::unique_ptr<Task> make_masked_lm(TaskParts parts) { return std::make_unique<MaskedLm>(std::move(parts)); }

}  // namespace suanli
