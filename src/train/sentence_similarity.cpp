#include "autograd/tape.h"
#include "ops/arithmetic.h"
#include "ops/loss.h"
#include "train/sentence_pairs.h"

namespace suanli {
namespace {

LossInputs scored_pairs(const Batch& batch) {
  LossInputs inputs = text_inputs(batch, 2);
  inputs.targets = numbers(batch.targets);
  return inputs;
}

/// The cosine of the two sentences of each pair, [B] f32.
Tensor cosines(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode) {
  const PairEmbeddings pairs = pair_embeddings(parts, inputs, mode);
  return ops::row_dot(pairs.first, pairs.second);
}

class SimilarityScorer final : public Scorer {
 public:
  SimilarityScorer(const TaskParts& parts, bool keep) : parts_(parts), keep_(keep) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const std::vector<float> values = host_values(cosines(parts_, scored_pairs(batch), mode));
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
    EncodedExample out = encode_pair(parts_, example, where);
    out.targets = {static_cast<float>(example.score)};
    return out;
  }

  int64_t items(const Batch& batch) const override { return batch.size(); }

  LossInputs inputs(const Batch& batch) const override { return scored_pairs(batch); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    const Tensor predicted = cosines(parts_, inputs, mode);
    return ops::mse_loss(predicted, inputs.targets.on(predicted.device()), normalizer);
  }

  Tensor embeddings(const LossInputs& inputs, const nn::Mode& mode) const override {
    return unit_embeddings(parts_, inputs, mode);
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
