/// Two towers: items by their text, users by what they liked, compared by a dot product (Yi et al. 2019).
#pragma once

#include <memory>
#include <string>

#include "models/family.h"
#include "nn/layers.h"
#include "nn/recurrence.h"

namespace suanli::models {

/// config.json: "num_items" N; "text_width" W of the encoder's vectors; "hidden_size" D of both towers;
/// "history_length": how many of the last likes make a user; "temperature"; "dropout" of the user tower;
/// "item_dropout": the share of items that training sees by their text alone; "least_rating" that is a like.
struct TwoTowerConfig : ModelConfig {
  int64_t items = 0, text_width = 0, history_length = 50;
  double temperature = 0.1, item_dropout = 0, least_rating = 4;
  float dropout = 0;
};

/// True for the config.json of two towers.
bool is_two_tower(const Json& json, const std::string& where);
/// The beginning of one: what says that it is of two towers.
Json two_tower_json();
/// Throws UserError naming `where` and key.
TwoTowerConfig two_tower_config(const Json& json, const std::string& where);

/// item_vectors: v = normalize(P t + b + E[row]): t the frozen vector of the item's text, E[0] that of items which have
/// no learned part. user_vectors: u_k = normalize(W dropout(h_k) + c), h_k = GRU(dropout(v_k), h_{k-1}). The score of
/// an item for a user is u^T v / temperature. Parameters text_projection.weight [D,W] and bias, item_embedding.weight
/// [N+1,D], rnn.* as torch's GRU, user_projection.weight [D,D] and bias; buffer item_text [N,W].
class TwoTower final : public Network {
 public:
  TwoTower(nn::ParameterScope scope, const TwoTowerConfig& config);
  Tensor item_vectors(const Tensor& text, const Tensor& rows, const nn::Mode& mode) const override;
  Tensor user_vectors(const Tensor& items, const Tensor& offsets, const nn::Mode& mode) const override;
  bool lengths_decide_launches() const override { return true; }

 private:
  nn::Linear text_projection_;
  nn::Embedding item_embedding_;
  nn::Recurrence rnn_;
  nn::Linear user_projection_;
  nn::Dropout item_dropout_, state_dropout_;
};

/// "two_tower". Throws UserError as two_tower_config() does.
std::unique_ptr<Family> read_two_tower(const Json& json, const std::string& where);

/// The buffer item_text [N,W] of a model of two towers, f32 on its device. Throws UserError for another model.
Tensor item_text(const nn::Parameters& parameters);

}  // namespace suanli::models
