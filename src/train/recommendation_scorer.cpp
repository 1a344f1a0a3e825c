// What a recommender gets right, beside what simple lists get right on the same questions.
#include <algorithm>
#include <cmath>
#include <optional>

#include "autograd/tape.h"
#include "base/concat.h"
#include "ops/linear.h"
#include "train/recommendation.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

constexpr int64_t kNeighbourCounts[] = {10, 20, 50, 100, 200, 500, 1000};

/// 1 for what may be recommended: not seen before, and of `among` where that is not empty.
std::vector<uint8_t> allowed_items(const NextLike& question, size_t items, std::span<const uint8_t> among) {
  std::vector<uint8_t> allowed(items, 1);
  if (!among.empty()) std::ranges::copy(among, allowed.begin());
  for (const int32_t item : question.seen) {
    if (item != question.item) allowed[static_cast<size_t>(item)] = 0;
  }
  return allowed;
}

/// Recall among few items, for questions about those that training never saw.
struct ColdRecall {
  double count = 0, at_10 = 0, at_50 = 0;
  void add(double share_10, double share_50) {
    count += 1;
    at_10 += share_10;
    at_50 += share_50;
  }
  void add(int64_t rank) { add(rank <= 10 ? 1 : 0, rank <= 50 ? 1 : 0); }
  void append(const std::string& prefix, Scores* to) const {
    to->emplace_back(prefix + "recall@10", at_10 / count);
    to->emplace_back(prefix + "recall@50", at_50 / count);
  }
};

class RecommendationScorer final : public Scorer {
 public:
  RecommendationScorer(const Recommendation& task, bool keep)
      : task_(task), keep_(keep), size_(static_cast<size_t>(task.config().items)), own_(task.config().items) {
    if (!keep) return;
    const auto items = static_cast<int32_t>(task.config().items);
    neighbours_.emplace(task.data().train, items, kNeighbourCounts[std::size(kNeighbourCounts) - 1]);
    k_ = tuned_neighbours(*neighbours_, task.data());
    simple_.push_back({"popularity_", popularity(task.data().train, items), RankingScores(items)});
    simple_.push_back({"item_knn_", neighbours_->scorer(k_), RankingScores(items)});
  }

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    if (!items_.defined()) items_ = task_.all_items(mode);
    const std::vector<float> scores = host_values(ops::linear(task_.users(batch, mode), items_, {}));
    for (size_t b = 0; b < batch.rows.size(); ++b) {
      const auto own = std::span(scores).subspan(b * size_, size_);
      // Its number, which is not that of the row in its data set.
      const NextLike& question = task_.question(static_cast<int64_t>(batch.targets[2 * b]));
      if (batch.targets[2 * b + 1] == 0) {
        add_question(question, batch.rows[b], own);
      } else {
        add_cold(question, own);
      }
    }
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    for (const auto& [name, value] : own_.scores()) all.emplace_back(name, value);
    for (const Simple& simple : simple_) {
      for (const auto& [name, value] : simple.ranks.scores()) all.emplace_back(simple.prefix + name, value);
    }
    if (keep_) all.emplace_back("item_knn_k", static_cast<double>(k_));
    if (cold_.count == 0) return all;
    all.emplace_back("cold_questions", cold_.count);
    cold_.append("cold_", &all);
    cold_text_.append("cold_text_", &all);
    cold_chance_.append("cold_chance_", &all);
    cold_among_all_.append("cold_among_all_", &all);
    return all;
  }

 private:
  struct Simple {
    std::string prefix;
    ItemScorer scorer;
    RankingScores ranks;
  };

  void add_question(const NextLike& question, int64_t row, std::span<const float> own) {
    double sum = 0;
    const double target = static_cast<double>(own[static_cast<size_t>(question.item)]);
    for (const float score : own) sum += std::exp((static_cast<double>(score) - target) / task_.config().temperature);
    loss_.add(std::log(sum), 1);
    const std::vector<uint8_t> allowed = allowed_items(question, size_, {});
    const int64_t rank = rank_of(own, allowed, question.item);
    own_.add(rank, top_items(own, allowed, 10));
    if (keep_) predictions_.emplace_back(row, std::to_string(rank));
    std::vector<float> scores(size_);
    for (Simple& simple : simple_) {
      simple.scorer(question.history, scores);
      simple.ranks.add(rank_of(scores, allowed, question.item), top_items(scores, allowed, 10));
    }
  }

  void add_cold(const NextLike& question, std::span<const float> own) {
    const std::vector<uint8_t> cold = allowed_items(question, size_, task_.data().held_out);
    cold_.add(rank_of(own, cold, question.item));
    cold_among_all_.add(rank_of(own, allowed_items(question, size_, {}), question.item));
    cold_text_.add(rank_of(text_scores(question), cold, question.item));
    const auto count = static_cast<double>(std::ranges::count(cold, 1));
    cold_chance_.add(std::min(1.0, 10 / count), std::min(1.0, 50 / count));
  }

  /// The inner product of each item's text with the mean text of the history.
  std::vector<float> text_scores(const NextLike& question) {
    const int64_t width = task_.config().text_width;
    if (text_.empty()) text_ = host_values(task_.text());
    std::vector<float> mean(static_cast<size_t>(width), 0), scores(size_, 0);
    for (const int32_t item : question.history) {
      for (int64_t d = 0; d < width; ++d) {
        mean[static_cast<size_t>(d)] += text_[static_cast<size_t>(item * width + d)];
      }
    }
    for (size_t i = 0; i < size_; ++i) {
      for (size_t d = 0; d < mean.size(); ++d) scores[i] += mean[d] * text_[i * mean.size() + d];
    }
    return scores;
  }

  const Recommendation& task_;
  bool keep_;
  size_t size_;
  Tensor items_;
  std::vector<float> text_;
  MeanLoss loss_;
  RankingScores own_;
  std::optional<ItemNeighbours> neighbours_;
  int64_t k_ = 0;
  std::vector<Simple> simple_;
  ColdRecall cold_, cold_text_, cold_chance_, cold_among_all_;
};

}  // namespace

int64_t tuned_neighbours(const ItemNeighbours& neighbours, const LeftOut& data) {
  int64_t best = 0;
  double best_score = -1;
  std::vector<float> scores(data.held_out.size());
  for (const int64_t k : kNeighbourCounts) {
    RankingScores ranks(std::ssize(scores));
    const ItemScorer scorer = neighbours.scorer(k);
    for (const NextLike& question : data.validation) {
      scorer(question.history, scores);
      ranks.add(rank_of(scores, allowed_items(question, scores.size(), {}), question.item), {});
    }
    const double score = *find_score(ranks.scores(), "ndcg@10");
    if (score > best_score) {
      best = k;
      best_score = score;
    }
  }
  return best;
}

std::unique_ptr<Scorer> Recommendation::scorer(bool keep) const {
  return std::make_unique<RecommendationScorer>(*this, keep);
}

}  // namespace suanli
