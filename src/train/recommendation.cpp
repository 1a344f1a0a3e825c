#include "train/recommendation.h"

#include <cmath>
#include <map>
#include <numeric>

#include "autograd/tape.h"
#include "base/error.h"
#include "base/random.h"
#include "data/random_sites.h"
#include "ops/arithmetic.h"
#include "ops/embedding.h"
#include "ops/linear.h"
#include "ops/loss.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

constexpr float kLikedElsewhere = -10'000;  // e^-10000 is 0 beside any score

models::TwoTowerConfig two_towers_of(const models::Model& model) {
  const Json& json = model.config().json;
  if (!models::is_two_tower(json, "config.json")) {
    throw UserError("task", "expected a recommender of two towers, got a model of another kind; see its config.json");
  }
  return models::two_tower_config(json, "config.json");
}

std::vector<double> shares(const LeftOut& data, int64_t items) {
  std::vector<double> share(static_cast<size_t>(items), 0);
  double all = 0;
  for (const auto& user : data.train) {
    for (const int32_t item : user) share[static_cast<size_t>(item)] += 1;
    all += static_cast<double>(user.size());
  }
  for (double& each : share) each /= all;
  return share;
}

}  // namespace

Tensor sampled_softmax_loss(const Tensor& users, const Tensor& candidates, const Tensor& corrections,
                            const Tensor& labels, double temperature, double normalizer) {
  const Tensor scores = ops::linear(ops::scale(users, 1 / temperature), candidates, {});
  return ops::cross_entropy(ops::add(scores, corrections), labels, {.normalizer = normalizer});
}

Recommendation::Recommendation(const models::Model& model, LeftOut data, uint64_t seed)
    : model_(model),
      config_(two_towers_of(model)),
      data_(std::move(data)),
      seed_(seed),
      text_(models::item_text(*model.parameters)),
      share_(shares(data_, config_.items)) {
  for (const auto* part : {&data_.validation, &data_.test, &data_.cold}) {
    for (const NextLike& each : *part) questions_.push_back(&each);
  }
}

EncodedExample Recommendation::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected interactions of users, got texts");
}

EncodedExample Recommendation::draw(const EncodedExample& row, int64_t epoch) const {
  EncodedExample out = row;
  for (size_t t = 0; t < out.ids.size(); ++t) {
    const RandomKey key = {seed_, static_cast<uint32_t>(epoch), kItemDropSite};
    const auto words = philox(key, static_cast<uint64_t>(row.row) << 32 | t);
    const auto dropped = [&](uint32_t word) { return static_cast<double>(uniform(word)) < config_.item_dropout; };
    out.types[t] = (dropped(words[0]) ? 1 : 0) + (dropped(words[1]) ? 2 : 0);
  }
  return out;
}

LossInputs Recommendation::inputs(const Batch& batch) const {
  std::map<int32_t, int32_t> place;  // of each candidate; its learned part is used unless its first label drops it
  std::vector<int32_t> rows, labels, candidates, candidate_rows;
  for (size_t t = 0; t < batch.ids.size(); ++t) {
    rows.push_back((batch.types[t] & 1) != 0 ? 0 : row_of(batch.ids[t]));
    const int32_t item = batch.token_labels[t];
    const auto [known, is_new] = place.try_emplace(item, static_cast<int32_t>(candidates.size()));
    if (is_new) {
      candidates.push_back(item);
      candidate_rows.push_back((batch.types[t] & 2) != 0 ? 0 : row_of(item));
    }
    labels.push_back(known->second);
  }
  const size_t count = candidates.size();
  std::vector<float> plain;
  for (const int32_t item : candidates) {
    plain.push_back(static_cast<float>(-std::log(share_[static_cast<size_t>(item)])));
  }
  std::vector<float> corrections;
  corrections.reserve(batch.ids.size() * count);
  for (size_t b = 0; b < batch.rows.size(); ++b) {
    std::vector<float> own = plain;
    for (const int32_t item : data_.train[static_cast<size_t>(batch.targets[b])]) {
      if (const auto found = place.find(item); found != place.end()) {
        own[static_cast<size_t>(found->second)] = kLikedElsewhere;
      }
    }
    for (auto t = static_cast<size_t>(batch.offsets[b]); t < static_cast<size_t>(batch.offsets[b + 1]); ++t) {
      const auto label = static_cast<size_t>(labels[t]);
      corrections.insert(corrections.end(), own.begin(), own.end());
      corrections[t * count + label] = plain[label];
    }
  }
  candidates.insert(candidates.end(), candidate_rows.begin(), candidate_rows.end());
  return {.packed = models::packed_array(batch.ids, batch.types, batch.positions, batch.offsets),
          .features = numbers(corrections),
          .categories = integers(candidates),
          .rows = integers(rows),
          .labels = integers(labels),
          .tokens = batch.tokens(),
          .classes = static_cast<int64_t>(count)};
}

Tensor Recommendation::vectors(const Tensor& items, const Tensor& rows, const nn::Mode& mode) const {
  const Device device = text_.device();
  return model_.network->item_vectors(ops::index_select(text_, items.on(device)), rows.on(device), mode);
}

Tensor Recommendation::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  const models::PackedSequences sequences = inputs.sequences();
  const Device device = text_.device();
  const Tensor read = vectors(sequences.ids, inputs.rows, mode);
  const Tensor users = model_.network->user_vectors(read, sequences.offsets.on(device), mode);
  const int64_t count = inputs.classes;
  const Tensor candidates = vectors(inputs.categories.rows(0, count), inputs.categories.rows(count, 2 * count), mode);
  return sampled_softmax_loss(users, candidates, inputs.features.reshape({inputs.tokens, count}).on(device),
                              inputs.labels.on(device), config_.temperature, normalizer);
}

Tensor Recommendation::all_items(const nn::Mode& mode) const {
  const NoGradient guard;
  std::vector<int32_t> rows;
  for (int32_t item = 0; item < config_.items; ++item) rows.push_back(row_of(item));
  return model_.network->item_vectors(text_, integers(rows).on(text_.device()), mode);
}

Tensor Recommendation::users(const Batch& batch, const nn::Mode& mode) const {
  const NoGradient guard;
  const Device device = text_.device();
  std::vector<int32_t> rows, ends;
  for (const int32_t item : batch.ids) rows.push_back(row_of(item));
  for (size_t b = 1; b < batch.offsets.size(); ++b) ends.push_back(batch.offsets[b] - 1);
  const Tensor read = vectors(integers(batch.ids), integers(rows), mode);
  const Tensor all = model_.network->user_vectors(read, integers(batch.offsets).on(device), mode);
  return ops::index_select(all, integers(ends).on(device));
}

void Recommendation::settle_unknown_items() const {
  for (const nn::Parameter& parameter : model_.parameters->all()) {
    if (parameter.name != "item_embedding.weight") continue;
    for (int32_t item = 0; item < config_.items; ++item) {
      if (row_of(item) == 0) parameter.value.rows(item + 1, item + 2).copy_from(parameter.value.rows(0, 1));
    }
  }
}

}  // namespace suanli
