#include "autograd/tape.h"
#include "base/error.h"
#include "models/sequences.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/loss.h"
#include "ops/pooling.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

/// A pair travels through the data layer as one sequence; `labels` says which text a token belongs to. Here the two
/// become sequences of their own: first of pair b is sequence 2b, second 2b + 1. Rows name first all first ones.
LossInputs pair_inputs(const Batch& batch) {
  std::vector<int32_t> offsets = {0}, positions;
  for (size_t b = 0; b + 1 < batch.offsets.size(); ++b) {
    const int32_t end = batch.offsets[b + 1];
    int32_t middle = batch.offsets[b];
    while (middle < end && batch.token_labels[static_cast<size_t>(middle)] == 0) ++middle;
    offsets.push_back(middle);
    offsets.push_back(end);
    for (size_t half = offsets.size() - 2; half < offsets.size(); ++half) {
      for (int32_t p = 0; p < offsets[half] - offsets[half - 1]; ++p) positions.push_back(p);
    }
  }
  std::vector<int32_t> rows;
  for (const int32_t half : {0, 1}) {
    for (int32_t b = 0; b < static_cast<int32_t>(batch.size()); ++b) rows.push_back(2 * b + half);
  }
  return {.packed = models::packed_array(batch.ids, batch.types, positions, offsets),
          .rows = integers(rows),
          .targets = numbers(batch.targets),
          .tokens = batch.tokens()};
}

/// The cosine of the two sentences of each pair, [B] f32.
Tensor cosines(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode) {
  const models::PackedSequences sequences = inputs.sequences();
  const Tensor hidden = parts.model->network->hidden_states(sequences, mode);
  const Tensor pooled = parts.options.mean_pooling ? ops::segment_mean(hidden, sequences.offsets)
                                                   : ops::index_select(hidden, models::first_tokens(sequences));
  const Tensor unit = ops::normalize(ops::cast(pooled, DType::f32));
  const int64_t pairs = inputs.rows.dim(0) / 2;
  return ops::row_dot(ops::index_select(unit, inputs.rows.rows(0, pairs)),
                      ops::index_select(unit, inputs.rows.rows(pairs, 2 * pairs)));
}

class SimilarityScorer final : public Scorer {
 public:
  SimilarityScorer(const TaskParts& parts, bool keep) : parts_(parts), keep_(keep) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const std::vector<float> values = host_values(cosines(parts_, pair_inputs(batch), mode));
    for (size_t b = 0; b < values.size(); ++b) {
      numbers_.add(batch.targets[b], values[b]);
      if (keep_) predictions_.emplace_back(batch.rows[b], number_text(values[b]));
    }
  }

  Scores scores() const override {
    Scores all = {{"loss", numbers_.mse()}};
    const Scores more = numbers_.scores();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

 private:
  const TaskParts& parts_;
  bool keep_;
  RegressionCounts numbers_;
};

/// The cosine of two sentence embeddings shall be a given number (Reimers and Gurevych 2019; CosineSimilarityLoss of
/// sentence-transformers): mean over pairs of (cos(u, v) - score)^2.
class SentenceSimilarity final : public Task {
 public:
  explicit SentenceSimilarity(TaskParts parts) : parts_(std::move(parts)) {}

  EncodedExample encode(const Example& example, const std::string& where) const override {
    if (!example.has_pair) {
      throw UserError(where, "expected two texts for sentence-similarity, got one; name text_pair_column_name");
    }
    const EncodeOptions options = {.max_length = parts_.options.max_length};
    EncodedExample out = tokenized(parts_.tokenizer.encode(example.text, options));
    out.labels.assign(out.ids.size(), 0);
    const Encoding second = parts_.tokenizer.encode(example.text_pair, options);
    out.ids.insert(out.ids.end(), second.ids.begin(), second.ids.end());
    out.types.insert(out.types.end(), second.types.begin(), second.types.end());
    out.special.insert(out.special.end(), second.special.begin(), second.special.end());
    out.labels.resize(out.ids.size(), 1);
    out.targets = {static_cast<float>(example.score)};
    return out;
  }

  int64_t items(const Batch& batch) const override { return batch.size(); }

  LossInputs inputs(const Batch& batch) const override { return pair_inputs(batch); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    const Tensor predicted = cosines(parts_, inputs, mode);
    return ops::mse_loss(predicted, inputs.targets.on(predicted.device()), normalizer);
  }

  std::unique_ptr<Scorer> scorer(bool keep) const override { return std::make_unique<SimilarityScorer>(parts_, keep); }

 private:
  TaskParts parts_;
};

}  // namespace

std::unique_ptr<Task> make_sentence_similarity(TaskParts parts) {
  return std::make_unique<SentenceSimilarity>(std::move(parts));
}

}  // namespace suanli
