#include "apps/recommendation.h"

#include <algorithm>
#include <mutex>
#include <numeric>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "ops/linear.h"

namespace suanli::apps {
namespace {

/// True where one of the item's genres is wanted.
bool has_genre(const Item& item, const std::set<std::string>& wanted) {
  size_t begin = 0;
  while (begin <= item.genres.size()) {
    const size_t end = std::min(item.genres.find('|', begin), item.genres.size());
    if (wanted.contains(item.genres.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

models::TwoTowerConfig recommender_config(const models::Model& model, const std::filesystem::path& folder) {
  const std::string where = (folder / "config.json").string();
  if (!models::is_two_tower(model.config().json, where)) {
    throw UserError(where, "expected a model of the task recommendation, got one of another kind");
  }
  return models::two_tower_config(model.config().json, where);
}

/// Puts `item` at the end, once, and keeps the last `most`.
void put_last(std::vector<int32_t>& items, int32_t item, size_t most) {
  std::erase(items, item);
  items.push_back(item);
  if (items.size() > most) items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(most));
}

}  // namespace

Recommender::Recommender(const std::filesystem::path& folder, const std::optional<ItemTable>& catalogue,
                         const ReadText& read_text, const RecommenderLimits& limits)
    : limits_(limits), model_(models::load_model(folder, {})), config_(recommender_config(model_, folder)) {
  known_ = read_items(folder / "items.csv");
  if (known_.size() != config_.items) {
    throw UserError((folder / "items.csv").string(),
                    concat("expected ", config_.items, " items as in config.json, found ", known_.size()));
  }
  const NoGradient guard;
  vectors_ = Tensor::zeros({config_.items + static_cast<int64_t>(limits.added_items), config_.hidden_size}, DType::f32);
  std::vector<int32_t> rows(static_cast<size_t>(known_.size()));
  std::iota(rows.begin(), rows.end(), 1);
  const Tensor vectors =
      model_.network->item_vectors(models::item_text(*model_.parameters), Tensor::from(rows, {config_.items}), {});
  vectors_.rows(0, config_.items).copy_from(vectors);
  for (int32_t i = 0; i < known_.size(); ++i) {
    items_.push_back(known_[i]);
    by_id_.emplace(known_[i].id, i);
  }
  offered_.assign(items_.size(), catalogue ? 0 : 1);
  for (int32_t i = 0; catalogue && i < catalogue->size(); ++i) {
    const Item& item = (*catalogue)[i];
    if (const int32_t number = find(item.id); number >= 0) {
      items_[static_cast<size_t>(number)] = item;
      offered_[static_cast<size_t>(number)] = 1;
    } else if (add_locked(item, read_text(text_of(item))) == Added::full) {
      throw UserError("items", concat("expected at most ", limits.added_items, " items that the model has not seen"));
    }
  }
}

void Recommender::add_users(const Interactions& interactions) {
  const std::unique_lock lock(mutex_);
  if (interactions.users.size() > limits_.users) {
    throw UserError("interactions",
                    concat("expected at most ", limits_.users, " users, found ", interactions.users.size()));
  }
  for (size_t u = 0; u < interactions.users.size(); ++u) {
    User& user = users_[interactions.users[u]];
    for (const Interaction& each : interactions.of_user[u]) {
      take(user, each.item, each.liked ? UserEvent::like : UserEvent::seen);
    }
  }
}

void Recommender::take(User& user, int32_t item, UserEvent event) const {
  if (event == UserEvent::like) put_last(user.likes, item, static_cast<size_t>(config_.history_length));
  put_last(user.seen, item, limits_.seen);
}

int32_t Recommender::find(const std::string& id) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? -1 : found->second;
}

Item Recommender::item(int32_t number) const {
  const std::shared_lock lock(mutex_);
  return items_[static_cast<size_t>(number)];
}

size_t Recommender::item_count() const {
  const std::shared_lock lock(mutex_);
  return items_.size();
}

std::optional<RecommendationQuery> Recommender::user(const std::string& id) const {
  const std::shared_lock lock(mutex_);
  const auto found = users_.find(id);
  if (found == users_.end()) return std::nullopt;
  return RecommendationQuery{.history = found->second.likes, .hidden = found->second.seen};
}

std::vector<float> Recommender::scores_of(std::span<const int32_t> history) const {
  const NoGradient guard;
  const auto length = static_cast<int32_t>(history.size());
  Tensor liked = Tensor::empty({length, config_.hidden_size}, DType::f32);
  for (int32_t t = 0; t < length; ++t) {
    const int32_t item = history[static_cast<size_t>(t)];
    liked.rows(t, t + 1).copy_from(vectors_.rows(item, item + 1));
  }
  const Tensor users = model_.network->user_vectors(liked, Tensor::from(std::vector<int32_t>{0, length}, {2}), {});
  // The user's cosines, then those of each liked item, for the reasons.
  Tensor rows = Tensor::empty({length + 1, config_.hidden_size}, DType::f32);
  rows.rows(0, 1).copy_from(users.rows(length - 1, length));
  rows.rows(1, length + 1).copy_from(liked);
  const Tensor scores = ops::linear(rows, vectors_.rows(0, static_cast<int64_t>(items_.size())), {});
  const auto values = scores.host<float>();
  return {values.begin(), values.end()};
}

std::vector<RecommendedItem> Recommender::recommend(const RecommendationQuery& query) const {
  const std::shared_lock lock(mutex_);
  const auto kept = std::min(query.history.size(), static_cast<size_t>(config_.history_length));
  const auto history = std::span(query.history).last(kept);
  const std::vector<float> scores = scores_of(history);
  std::vector<uint8_t> allowed = offered_;
  for (const auto* hidden : {&query.history, &query.hidden}) {
    for (const int32_t item : *hidden) allowed[static_cast<size_t>(item)] = 0;
  }
  std::vector<int32_t> best;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (allowed[i] != 0 && (query.genres.empty() || has_genre(items_[i], query.genres))) {
      best.push_back(static_cast<int32_t>(i));
    }
  }
  const auto count = std::min(query.count, best.size());
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(count), best.end(),
                    [&](int32_t a, int32_t b) {
                      const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
                      return x != y ? x > y : a < b;
                    });
  best.resize(count);
  std::vector<RecommendedItem> out;
  for (const int32_t item : best) {
    const auto place = static_cast<size_t>(item);
    size_t nearest = 0;
    for (size_t t = 1; t < kept; ++t) {
      const size_t row = items_.size();
      if (scores[(t + 1) * row + place] > scores[(nearest + 1) * row + place]) nearest = t;
    }
    out.push_back({item, scores[place] / static_cast<float>(config_.temperature), history[nearest]});
  }
  return out;
}

Recommender::Added Recommender::add_item(const Item& item, std::span<const float> text) {
  const std::unique_lock lock(mutex_);
  return add_locked(item, text);
}

Recommender::Added Recommender::add_locked(const Item& item, std::span<const float> text) {
  const NoGradient guard;
  if (static_cast<int64_t>(text.size()) != config_.text_width) {
    throw UserError("encoder", concat("expected text vectors of ", config_.text_width, " numbers as the model was ",
                                      "trained with, got ", text.size()));
  }
  const auto number = static_cast<int32_t>(items_.size());
  if (by_id_.contains(item.id)) return Added::known;
  if (number == vectors_.dim(0)) return Added::full;
  const Tensor vector = model_.network->item_vectors(Tensor::from(text, {1, config_.text_width}),
                                                     Tensor::from(std::vector<int32_t>{0}, {1}), {});
  vectors_.rows(number, number + 1).copy_from(vector);
  by_id_.emplace(item.id, number);
  items_.push_back(item);
  offered_.push_back(1);
  return Added::added;
}

bool Recommender::add_event(const std::string& user, int32_t item, UserEvent event) {
  const std::unique_lock lock(mutex_);
  if (!users_.contains(user) && users_.size() >= limits_.users) return false;
  take(users_[user], item, event);
  return true;
}

}  // namespace suanli::apps
