/// Recommendation by two towers: which item does a user like next, learned from the other likes of a batch.
#pragma once

#include <memory>
#include <vector>

#include "models/two_tower/two_tower.h"
#include "train/leave_last_out.h"
#include "train/ranking.h"
#include "train/task.h"

namespace suanli {

/// Softmax over the C candidates of a batch, all items that somebody in it liked, of which the wrong ones are samples
/// of all items (Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling", equations 3 to 5):
///   loss = 1/n sum_t lse_c(s[t,c]) - s[t,label_t],   s[t,c] = u_t^T v_c / temperature + correction[t,c]
/// The correction is -log q_c, q_c the share of item c among all likes: popular items come up as wrong ones more often.
/// users [T,D], candidates [C,D], corrections [T,C] f32, labels [T] i32, loss [1]. Gradients: users, candidates.
Tensor sampled_softmax_loss(const Tensor& users, const Tensor& candidates, const Tensor& corrections,
                            const Tensor& labels, double temperature, double normalizer);

/// The task over two towers, which must outlive it. A candidate that the user likes elsewhere is no wrong one: its
/// correction is -10,000. Scores of questions, ranked among all items that the user has not seen before: loss (softmax
/// over all items), ndcg@10, recall@10, mrr, coverage@10. With predictions kept also the same of popularity
/// (popularity_...) and of item neighbours (item_knn_..., the k that does best on the validation set), and where items
/// are held out, of questions for these among these: cold_recall@10, cold_recall@50, what chance gives
/// (cold_chance_...), what the mean text of the history gives (cold_text_...), and the recall among all items.
class Recommendation final : public Task {
 public:
  Recommendation(const models::Model& model, LeftOut data, uint64_t seed);

  /// Rows come from training_rows() and question_rows(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  /// Marks in `types` which inputs (1) and labels (2) are seen by their text alone.
  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override;
  EncodedExample scored(const EncodedExample& row) const override { return row; }
  int64_t items(const Batch& batch) const override { return batch.tokens(); }
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  const LeftOut& data() const { return data_; }
  const models::TwoTowerConfig& config() const { return config_; }
  /// The question that a row of question_rows() stands for: those of validation, then test, then cold.
  const NextLike& question(int64_t number) const { return *questions_[static_cast<size_t>(number)]; }
  /// The vectors of all items [N,D], learned parts where training has some. Without gradients.
  Tensor all_items(const nn::Mode& mode) const;
  /// The users [B,D] after the last of their likes. Without gradients.
  Tensor users(const Batch& batch, const nn::Mode& mode) const;
  /// Items without a like in training take the learned part that stands for none: what a saved model shall have.
  void settle_unknown_items() const;
  Tensor text() const { return text_; }

 private:
  /// Row of the learned part of an item: 0 where training has no like of it.
  int32_t row_of(int32_t item) const { return share_[static_cast<size_t>(item)] > 0 ? item + 1 : 0; }
  Tensor vectors(const Tensor& items, const Tensor& rows, const nn::Mode& mode) const;

  const models::Model& model_;
  const models::TwoTowerConfig config_;
  LeftOut data_;
  uint64_t seed_;
  Tensor text_;
  std::vector<double> share_;  ///< of each item among the likes of training
  std::vector<const NextLike*> questions_;
};

/// The k of 10, 20, 50, ... 1000 with the best ndcg@10 on the validation set; the first of equals.
int64_t tuned_neighbours(const ItemNeighbours& neighbours, const LeftOut& data);

}  // namespace suanli
