#include "autograd/tape.h"
#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/layout.h"
#include "train/sentence_pairs.h"

namespace suanli {
namespace {

constexpr int32_t kTexts = 3;

/// cos(anchor, negative) - cos(anchor, positive), [B] f32: below 0 where the positive is nearer.
Tensor differences(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode) {
  const Tensor unit = unit_embeddings(parts, inputs, mode);
  const Tensor anchor = embeddings_of_text(unit, inputs, 0, kTexts);
  const Tensor near = ops::row_dot(anchor, embeddings_of_text(unit, inputs, 1, kTexts));
  const Tensor far = ops::row_dot(anchor, embeddings_of_text(unit, inputs, 2, kTexts));
  return ops::add(far, ops::scale(near, -1));
}

/// 1/n sum_b max(d_b + margin, 0), [1].
Tensor hinge(const Tensor& difference, double margin, double normalizer) {
  const int64_t count = difference.elements();
  const auto filled = [&](double value) {
    const std::vector<float> values(static_cast<size_t>(count), static_cast<float>(value));
    return numbers(values).on(difference.device());
  };
  const Tensor losses = ops::relu(ops::add(difference, filled(margin)));
  return ops::row_dot(ops::reshape(losses, {1, count}), filled(1 / normalizer).reshape({1, count}));
}

class TripletScorer final : public Scorer {
 public:
  TripletScorer(const TaskParts& parts, bool keep) : parts_(parts), keep_(keep) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const Tensor difference = differences(parts_, text_inputs(batch, kTexts), mode);
    const auto count = static_cast<double>(batch.size());
    loss_.add(static_cast<double>(number_of(hinge(difference, parts_.options.triplet_margin, count))), count);
    const std::vector<float> values = host_values(difference);
    for (size_t b = 0; b < values.size(); ++b) {
      right_ += values[b] < 0 ? 1 : 0;
      if (keep_) predictions_.emplace_back(batch.rows[b], number_text(values[b]));
    }
    total_ += count;
  }

  /// cosine_accuracy: the share of triplets whose positive is nearer, as TripletEvaluator of sentence-transformers.
  Scores scores() const override { return {{"loss", loss_.mean()}, {"cosine_accuracy", right_ / total_}}; }

 private:
  const TaskParts& parts_;
  bool keep_;
  MeanLoss loss_;
  double right_ = 0, total_ = 0;
};

/// An anchor's embedding shall be nearer to that of a text like it than to that of one unlike it, by a margin (Schroff
/// et al. 2015; TripletLoss of sentence-transformers with the distance 1 - cos): mean over triplets of
/// max(cos(a, n) - cos(a, p) + margin, 0).
class SentenceTriplets final : public Task {
 public:
  explicit SentenceTriplets(TaskParts parts) : parts_(std::move(parts)) {}

  EncodedExample encode(const Example& example, const std::string& where) const override {
    return encode_triplet(parts_, example, where);
  }

  int64_t items(const Batch& batch) const override { return batch.size(); }

  LossInputs inputs(const Batch& batch) const override { return text_inputs(batch, kTexts); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    return hinge(differences(parts_, inputs, mode), parts_.options.triplet_margin, normalizer);
  }

  Tensor embeddings(const LossInputs& inputs, const nn::Mode& mode) const override {
    return unit_embeddings(parts_, inputs, mode);
  }

  std::unique_ptr<Scorer> scorer(bool keep) const override { return std::make_unique<TripletScorer>(parts_, keep); }

 private:
  TaskParts parts_;
};

}  // namespace

std::unique_ptr<Task> make_sentence_triplets(TaskParts parts) {
  return std::make_unique<SentenceTriplets>(std::move(parts));
}

}  // namespace suanli
