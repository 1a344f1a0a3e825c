#include "ops/linear_cross_entropy.h"
#include "train/language_model_scorer.h"

namespace suanli {
namespace {

/// Every token but the last of a sequence is asked for the one behind it.
LossInputs next_tokens(const models::Model& model, const Batch& batch) {
  std::vector<int32_t> rows, labels;
  for (size_t b = 0; b + 1 < batch.offsets.size(); ++b) {
    for (int32_t t = batch.offsets[b]; t + 1 < batch.offsets[b + 1]; ++t) {
      rows.push_back(t);
      labels.push_back(batch.ids[static_cast<size_t>(t) + 1]);
    }
  }
  LossInputs inputs = tokens_of(batch);
  inputs.rows = integers(rows);
  inputs.labels = integers(labels);
  inputs.classes = model.config().vocab_size;
  return inputs;
}

models::VocabularyHead next_head(const models::Model& model, const LossInputs& inputs, const nn::Mode& mode) {
  return model.network->next_token_head(inputs.sequences(), inputs.rows, mode);
}

/// Causal language modelling: every token is guessed from those before it (run_clm of Hugging Face).
class CausalLm final : public Task {
 public:
  explicit CausalLm(TaskParts parts) : parts_(std::move(parts)) {}

  EncodedExample encode(const Example& example, const std::string&) const override {
    // Running text is joined and cut into blocks later: nothing is cut here, and lines keep their ends.
    if (parts_.options.block_size > 0) return tokenized(parts_.tokenizer.encode(example.text + "\n"));
    return tokenized(parts_.tokenizer.encode(example.text, {.max_length = parts_.options.max_length}));
  }

  std::vector<EncodedExample> arrange(std::vector<EncodedExample> examples) const override {
    return parts_.options.block_size > 0 ? group_texts(examples, parts_.options.block_size) : examples;
  }

  int64_t items(const Batch& batch) const override { return batch.tokens() - batch.size(); }

  LossInputs inputs(const Batch& batch) const override { return next_tokens(*parts_.model, batch); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    const models::VocabularyHead head = next_head(*parts_.model, inputs, mode);
    return ops::linear_cross_entropy(head.hidden, head.weight, head.bias, inputs.labels,
                                     {.label_smoothing = parts_.options.label_smoothing, .normalizer = normalizer});
  }

  std::unique_ptr<Scorer> scorer(bool) const override {
    return std::make_unique<LanguageModelScorer>(*parts_.model, next_tokens, next_head);
  }

 private:
  TaskParts parts_;
};

}  // namespace

std::unique_ptr<Task> make_causal_lm(TaskParts parts) { return std::make_unique<CausalLm>(std::move(parts)); }

}  // namespace suanli
