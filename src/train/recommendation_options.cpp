#include "train/recommendation_options.h"

#include "train/option_types.h"

namespace suanli {

std::vector<Option> recommendation_options() {
  return {
      {"items_file", kPath, "", "of recommendation: table of the items with the columns id, title and, if any, genres"},
      {"history_length", kInteger, "50", "of recommendation: how many of a user's last likes are read"},
      {"temperature", kReal, "0.1", "of recommendation: what the dot products are divided by"},
      {"item_dropout", kReal, "0.1", "of recommendation: share of items that training sees by their text alone"},
      {"least_rating", kReal, "4", "of recommendation: a rating from this on is a like"},
      {"cold_item_share", kReal, "0",
       "of recommendation: share of the items that training never sees, scored apart as cold_..."},
  };
}

}  // namespace suanli
