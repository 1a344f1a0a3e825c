/// Which user liked which item when: the tables that recommendations are learned from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/rows.h"

namespace suanli {

struct Item {
  std::string id, title, genres;  ///< genres as in the file, such as "Comedy|Drama"; may be empty
};

/// Items in the order of their file, which is that of their vectors.
class ItemTable {
 public:
  ItemTable() = default;
  /// Throws UserError at `where` for an id that is empty or comes twice, and for no item at all.
  ItemTable(std::vector<Item> items, const std::string& where);
  int32_t size() const { return static_cast<int32_t>(items_.size()); }
  const Item& operator[](int32_t item) const { return items_[static_cast<size_t>(item)]; }
  /// The number of the item with this id, or -1.
  int32_t find(std::string_view id) const;

 private:
  std::vector<Item> items_;
  std::map<std::string, int32_t, std::less<>> by_id_;
};

/// Columns id (item_id, movieId, ...), title and, where there is one, genres; further columns are passed over. Throws
/// UserError for a column that is missing and as ItemTable does.
ItemTable read_items(const std::filesystem::path& file, const RowOptions& options = {});

/// CSV with the columns id,title,genres: what read_items() reads again as it was. Throws EnvironmentError.
void write_items(const ItemTable& items, const std::filesystem::path& file);

/// What an encoder reads of an item: "Toy Story (1995). Adventure, Animation".
std::string text_of(const Item& item);

struct Interaction {
  int32_t item = 0;
  bool liked = true;
};

/// What each user did, in the order of time. Of one item the last interaction counts. What has one time is in a random
/// order of its own (Philox of user and item): that of a file is often that of the ids, which would give answers away.
struct Interactions {
  std::vector<std::string> users;                    ///< ids in the order of the file
  std::vector<std::vector<Interaction>> of_user;     ///< by user
  int64_t unknown = 0;                               ///< rows whose item is not in the table; they are passed over
  std::map<std::string, int32_t, std::less<>> user;  ///< number of a user by id
};

/// Columns user (user_id, userId), item (item_id, movieId, ...), timestamp (a number or an ISO 8601 date) and, where
/// there is one, rating: an interaction is a like from `least_rating` on, without ratings always. Throws UserError for
/// a column that is missing, and at file and line for a time or rating that is no finite number.
Interactions read_interactions(const std::filesystem::path& file, const ItemTable& items, double least_rating,
                               const RowOptions& options = {});

}  // namespace suanli
