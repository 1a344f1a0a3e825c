/// Recommendations from a trained model of two towers: who liked what, which items there are, what comes next.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/interactions.h"
#include "models/load.h"
#include "models/two_tower/two_tower.h"

namespace suanli::apps {

struct RecommenderLimits {
  size_t users = 100'000;       ///< who are remembered
  size_t added_items = 10'000;  ///< beside those of the model
  size_t seen = 10'000;         ///< items that are not recommended to a user again; the oldest are forgotten
};

struct RecommendationQuery {
  std::vector<int32_t> history = {};  ///< liked, oldest first; the last `history_length` of the model count
  std::vector<int32_t> hidden = {};   ///< not to be recommended, beside the history
  std::set<std::string> genres = {};  ///< one of these; empty: any
  size_t count = 10;
};

struct RecommendedItem {
  int32_t item = 0;
  float score = 0;       ///< of the model: a dot product over the temperature
  int32_t because = -1;  ///< the liked item whose vector is nearest
};

enum class UserEvent : uint8_t { like, seen };

/// Every item is compared with the user: at 64 numbers a vector that is a tenth of a millisecond for ten thousand
/// items, ten for a million, from where on an index of nearest neighbours pays. All functions may be called from any
/// thread.
class Recommender {
 public:
  /// The vector of a text, as long as the model wants it.
  using ReadText = std::function<std::vector<float>(const std::string& text)>;

  /// `catalogue`: what may be recommended; its items that the model does not know are read by `read_text`. Without one
  /// the model's own items. Throws UserError for a folder without a recommender, more new items than there may be, and
  /// a text vector of another length.
  Recommender(const std::filesystem::path& folder, const std::optional<ItemTable>& catalogue, const ReadText& read_text,
              const RecommenderLimits& limits = {});

  /// The users of a file with what they liked and saw. Throws UserError for more than there may be.
  void add_users(const Interactions& interactions);
  /// The model's own items and their numbers in `interactions` of add_users().
  const ItemTable& model_items() const { return known_; }
  double least_rating() const { return config_.least_rating; }
  int64_t text_width() const { return config_.text_width; }

  /// The number of an item, or -1.
  int32_t find(const std::string& id) const;
  Item item(int32_t number) const;
  size_t item_count() const;
  /// The user's likes and what is hidden from them; nothing where nobody is called so.
  std::optional<RecommendationQuery> user(const std::string& id) const;

  /// The best first. The history must not be empty.
  std::vector<RecommendedItem> recommend(const RecommendationQuery& query) const;

  enum class Added : uint8_t { added, known, full };
  /// An item that is known by its text alone, recommended from now on.
  Added add_item(const Item& item, std::span<const float> text);
  /// False where the user is new and no more are remembered.
  bool add_event(const std::string& user, int32_t item, UserEvent event);

 private:
  struct User {
    std::vector<int32_t> likes, seen;  ///< the last ones, oldest first
  };
  Added add_locked(const Item& item, std::span<const float> text);
  void take(User& user, int32_t item, UserEvent event) const;
  std::vector<float> scores_of(std::span<const int32_t> history) const;

  RecommenderLimits limits_;
  ItemTable known_;
  models::Model model_;
  models::TwoTowerConfig config_;
  mutable std::shared_mutex mutex_;
  std::vector<Item> items_;
  std::vector<uint8_t> offered_;  ///< 1: may be recommended
  std::unordered_map<std::string, int32_t> by_id_;
  Tensor vectors_;  ///< [items of the model + those that may be added, D]
  std::unordered_map<std::string, User> users_;
};

}  // namespace suanli::apps
