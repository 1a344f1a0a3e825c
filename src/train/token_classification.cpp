#include <algorithm>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "ops/loss.h"
#include "train/entities.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

int64_t labelled_tokens(const Batch& batch) {
  return static_cast<int64_t>(batch.token_labels.size()) -
         std::count(batch.token_labels.begin(), batch.token_labels.end(), kIgnoredLabel);
}

LossInputs tag_inputs(const TaskParts& parts, const Batch& batch) {
  LossInputs inputs = tokens_of(batch);
  inputs.labels = integers(batch.token_labels);
  inputs.classes = static_cast<int64_t>(parts.model->config().labels.size());
  return inputs;
}

/// Compares the tags of the first tokens of words, sentence by sentence.
class TokenScorer final : public Scorer {
 public:
  TokenScorer(const TaskParts& parts, bool keep) : parts_(parts), keep_(keep) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const int64_t labelled = labelled_tokens(batch);
    if (labelled == 0) return;
    const NoGradient guard;
    const LossInputs inputs = tag_inputs(parts_, batch);
    const Tensor logits = parts_.model->network->token_logits(inputs.sequences(), mode);
    loss_.add(number_of(ops::cross_entropy(logits, inputs.labels)), static_cast<double>(labelled));
    const std::vector<float> values = host_values(logits);
    for (int64_t b = 0; b < batch.size(); ++b) {
      std::vector<std::string_view> truth, predicted;
      std::string text;
      for (int32_t t = batch.offsets[static_cast<size_t>(b)]; t < batch.offsets[static_cast<size_t>(b) + 1]; ++t) {
        const int32_t label = batch.token_labels[static_cast<size_t>(t)];
        if (label == kIgnoredLabel) continue;
        truth.push_back(name(label));
        predicted.push_back(name(largest(values, t, logits.dim(1))));
        if (keep_) text += concat(text.empty() ? "" : " ", predicted.back());
      }
      counts_.add(truth, predicted);
      if (keep_) predictions_.emplace_back(batch.rows[static_cast<size_t>(b)], text);
    }
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = counts_.scores();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string report() const override {
    std::string out;
    for (const auto& [type, count] : counts_.per_type()) {
      const PrecisionRecall scores = precision_recall(count);
      out += concat(type, ": precision ", number_text(static_cast<float>(scores.precision)), ", recall ",
                    number_text(static_cast<float>(scores.recall)), ", f1 ", number_text(static_cast<float>(scores.f1)),
                    ", entities ", count.support(), "\n");
    }
    return out;
  }

 private:
  std::string_view name(int64_t label) const { return parts_.model->config().labels[static_cast<size_t>(label)]; }

  const TaskParts& parts_;
  bool keep_;
  MeanLoss loss_;
  EntityCounts counts_;
};

/// A tag for each word, learned on its first token as Hugging Face's run_ner.py does.
class TokenClassification final : public Task {
 public:
  explicit TokenClassification(TaskParts parts) : parts_(std::move(parts)) {}

  EncodedExample encode(const Example& example, const std::string& where) const override {
    Encoding encoding = parts_.tokenizer.encode_words(example.words, {.max_length = parts_.options.max_length});
    std::vector<int32_t> word_labels;
    for (const std::string& label : example.labels) {
      word_labels.push_back(static_cast<int32_t>(parts_.labels.id(label, where)));
    }
    if (word_labels.size() != example.words.size()) {
      throw UserError(where,
                      concat("expected a tag for each of ", example.words.size(), " words, got ", word_labels.size()));
    }
    const std::vector<int32_t> labels = align_labels(encoding.word_ids, word_labels);
    EncodedExample out = tokenized(std::move(encoding));
    out.labels = labels;
    return out;
  }

  int64_t items(const Batch& batch) const override { return labelled_tokens(batch); }

  LossInputs inputs(const Batch& batch) const override { return tag_inputs(parts_, batch); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    return ops::cross_entropy(parts_.model->network->token_logits(inputs.sequences(), mode), inputs.labels,
                              {.label_smoothing = parts_.options.label_smoothing, .normalizer = normalizer});
  }

  std::unique_ptr<Scorer> scorer(bool keep) const override { return std::make_unique<TokenScorer>(parts_, keep); }

 private:
  TaskParts parts_;
};

}  // namespace

std::unique_ptr<Task> make_token_classification(TaskParts parts) {
  return std::make_unique<TokenClassification>(std::move(parts));
}

}  // namespace suanli
