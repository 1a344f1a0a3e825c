/// From interactions to what is learned and what is asked: the last likes of each user are left out of training.
#pragma once

#include <cstdint>
#include <vector>

#include "data/interactions.h"
#include "train/dataset.h"

namespace suanli {

/// One question to a recommender: what did this user like next?
struct NextLike {
  int32_t user = 0, item = 0;
  std::vector<int32_t> history = {};  ///< likes before it, oldest first, none of a held-out item
  std::vector<int32_t> seen = {};     ///< all that the user met before it, liked or not: never recommended
};

struct LeftOut {
  std::vector<std::vector<int32_t>> train;  ///< likes of each user, oldest first
  std::vector<NextLike> validation, test;   ///< the second last and the last like of users with three or more
  std::vector<NextLike> cold;               ///< likes of held-out items by users who liked another one before
  std::vector<uint8_t> held_out;            ///< [N]: 1 for items that are nowhere else than in `cold`
};

/// `cold_share` of the items, drawn by `seed`, are held out. Throws UserError where nobody has two likes to learn from,
/// or where nobody has three.
LeftOut leave_last_out(const Interactions& interactions, int32_t items, double cold_share, uint64_t seed);

/// Training rows: pieces of each user's likes of at most `length` + 1 that overlap by one. ids: the likes but the last,
/// labels: the one that follows each; targets: {user}. `limit` keeps the first so many (-1: all).
Dataset training_rows(const LeftOut& data, int64_t length, int64_t limit);

/// Rows of questions: ids: the last `length` of the history; targets: {number of the question, 1 where it is cold}.
/// `first`: number of the first one.
Dataset question_rows(const std::vector<NextLike>& questions, int64_t length, int64_t limit, bool cold, size_t first);

}  // namespace suanli
