#include <map>
#include <numeric>

#include "autograd/tape.h"
#include "ops/arithmetic.h"
#include "ops/linear.h"
#include "ops/loss.h"
#include "train/retrieval_metrics.h"
#include "train/sentence_pairs.h"

namespace suanli {
namespace {

constexpr double kScale = 20;  // the inverse temperature of sentence-transformers

/// Beside the pairs the right document of each query: its own.
LossInputs ranked_pairs(const Batch& batch) {
  LossInputs inputs = text_inputs(batch, 2);
  std::vector<int32_t> own(static_cast<size_t>(batch.size()));
  std::iota(own.begin(), own.end(), 0);
  inputs.labels = integers(own);
  inputs.classes = batch.size();
  return inputs;
}

/// The cross-entropy of each query choosing among the documents of its batch.
Tensor ranking_loss(const PairEmbeddings& pairs, const LossInputs& inputs, double normalizer) {
  const Tensor logits = ops::scale(ops::linear(pairs.first, pairs.second, {}), kScale);
  return ops::cross_entropy(logits, inputs.labels, {.normalizer = normalizer});
}

/// Keeps the embeddings of the whole set: each query is ranked against all documents, those of equal tokens counted
/// once.
class RetrievalScorer final : public Scorer {
 public:
  RetrievalScorer(const TaskParts& parts, bool keep) : parts_(parts), keep_(keep) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = ranked_pairs(batch);
    const PairEmbeddings pairs = pair_embeddings(parts_, inputs, mode);
    loss_.add(number_of(ranking_loss(pairs, inputs, 0)), static_cast<double>(batch.size()));
    width_ = pairs.first.dim(1);
    const std::vector<float> first = host_values(pairs.first), second = host_values(pairs.second);
    queries_.insert(queries_.end(), first.begin(), first.end());
    for (int64_t b = 0; b < batch.size(); ++b) {
      const auto [known, is_new] = documents_of_.try_emplace(document(batch, b), documents_of_.size());
      if (is_new) {
        documents_.insert(documents_.end(), second.begin() + b * width_, second.begin() + (b + 1) * width_);
      }
      right_.push_back(static_cast<int64_t>(known->second));
      rows_.push_back(batch.rows[static_cast<size_t>(b)]);
    }
  }

  Scores scores() const override {
    const std::vector<int64_t> ranks = ranks_of(queries_, documents_, width_, right_);
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = retrieval_scores(ranks);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::vector<std::pair<int64_t, std::string>> predictions() const override {
    std::vector<std::pair<int64_t, std::string>> out;
    if (!keep_) return out;
    const std::vector<int64_t> ranks = ranks_of(queries_, documents_, width_, right_);
    for (size_t q = 0; q < ranks.size(); ++q) out.emplace_back(rows_[q], std::to_string(ranks[q]));
    return out;
  }

 private:
  /// The tokens of the second text of pair `b`.
  static std::vector<int32_t> document(const Batch& batch, int64_t b) {
    std::vector<int32_t> ids;
    for (int32_t t = batch.offsets[static_cast<size_t>(b)]; t < batch.offsets[static_cast<size_t>(b) + 1]; ++t) {
      if (batch.token_labels[static_cast<size_t>(t)] == 1) ids.push_back(batch.ids[static_cast<size_t>(t)]);
    }
    return ids;
  }

  const TaskParts& parts_;
  bool keep_;
  MeanLoss loss_;
  int64_t width_ = 1;
  std::vector<float> queries_, documents_;
  std::vector<int64_t> right_, rows_;
  std::map<std::vector<int32_t>, size_t> documents_of_;
};

/// A query's embedding shall be nearest to that of its own document among all documents of the batch
/// (MultipleNegativesRankingLoss of sentence-transformers; Henderson et al. 2017): mean over pairs of
/// lse_j(20 cos(u_i, v_j)) - 20 cos(u_i, v_i).
class SentenceRetrieval final : public Task {
 public:
  explicit SentenceRetrieval(TaskParts parts) : parts_(std::move(parts)) {}

  EncodedExample encode(const Example& example, const std::string& where) const override {
    return encode_pair(parts_, example, where);
  }

  int64_t items(const Batch& batch) const override { return batch.size(); }

  LossInputs inputs(const Batch& batch) const override { return ranked_pairs(batch); }

  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    return ranking_loss(pair_embeddings(parts_, inputs, mode), inputs, normalizer);
  }

  Tensor embeddings(const LossInputs& inputs, const nn::Mode& mode) const override {
    return unit_embeddings(parts_, inputs, mode);
  }

  std::unique_ptr<Scorer> scorer(bool keep) const override { return std::make_unique<RetrievalScorer>(parts_, keep); }

 private:
  TaskParts parts_;
};

}  // namespace

std::unique_ptr<Task> make_sentence_retrieval(TaskParts parts) {
  return std::make_unique<SentenceRetrieval>(std::move(parts));
}

}  // namespace suanli
