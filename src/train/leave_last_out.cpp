#include "train/leave_last_out.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "data/random_sites.h"

namespace suanli {
namespace {

/// What a user did with items that are not held out, split at the last two likes.
void split_user(int32_t user, const std::vector<Interaction>& events, LeftOut* out) {
  const auto held = [&](int32_t item) { return out->held_out[static_cast<size_t>(item)] != 0; };
  std::vector<int32_t>& likes = out->train[static_cast<size_t>(user)];
  for (const Interaction& event : events) {
    if (event.liked && !held(event.item)) likes.push_back(event.item);
  }
  const size_t count = likes.size();
  NextLike next = {.user = user};
  size_t liked = 0;
  for (const Interaction& event : events) {
    next.item = event.item;
    if (held(event.item)) {
      if (event.liked && !next.history.empty()) out->cold.push_back(next);
    } else if (event.liked) {
      ++liked;
      if (count >= 3 && liked + 1 == count) out->validation.push_back(next);
      if (count >= 3 && liked == count) out->test.push_back(next);
      next.history.push_back(event.item);
    }
    next.seen.push_back(event.item);
  }
  if (count >= 3) likes.resize(count - 2);
}

std::vector<int32_t> last_of(const std::vector<int32_t>& all, int64_t length) {
  const auto kept = std::min(all.size(), static_cast<size_t>(length));
  return {all.end() - static_cast<std::ptrdiff_t>(kept), all.end()};
}

}  // namespace

LeftOut leave_last_out(const Interactions& interactions, int32_t items, double cold_share, uint64_t seed) {
  LeftOut out;
  out.held_out.assign(static_cast<size_t>(items), 0);
  for (size_t i = 0; i < out.held_out.size(); ++i) {
    out.held_out[i] = static_cast<double>(uniform(philox({seed, 0, kColdItemSite}, i)[0])) < cold_share ? 1 : 0;
  }
  out.train.resize(interactions.users.size());
  for (size_t user = 0; user < interactions.users.size(); ++user) {
    split_user(static_cast<int32_t>(user), interactions.of_user[user], &out);
  }
  if (out.test.empty()) {
    throw UserError("train_file", "expected a user with three likes, of which the last two are left out, found none");
  }
  if (std::ranges::none_of(out.train, [](const auto& likes) { return likes.size() >= 2; })) {
    throw UserError("train_file", "expected a user with two likes besides those that are left out, found none");
  }
  return out;
}

Dataset training_rows(const LeftOut& data, int64_t length, int64_t limit) {
  Dataset rows;
  const auto step = static_cast<size_t>(length);
  for (size_t user = 0; user < data.train.size(); ++user) {
    const std::vector<int32_t>& likes = data.train[user];
    for (size_t begin = 0; begin + 1 < likes.size(); begin += step) {
      if (limit >= 0 && std::ssize(rows.rows) == limit) return rows;
      const size_t end = std::min(likes.size() - 1, begin + step);
      EncodedExample& row = rows.rows.emplace_back();
      row.ids.assign(likes.begin() + static_cast<std::ptrdiff_t>(begin),
                     likes.begin() + static_cast<std::ptrdiff_t>(end));
      row.labels.assign(likes.begin() + static_cast<std::ptrdiff_t>(begin) + 1,
                        likes.begin() + static_cast<std::ptrdiff_t>(end) + 1);
      row.types.assign(row.ids.size(), 0);
      row.targets = {static_cast<float>(user)};
      row.row = std::ssize(rows.rows) - 1;
    }
  }
  return rows;
}

Dataset question_rows(const std::vector<NextLike>& questions, int64_t length, int64_t limit, bool cold, size_t first) {
  Dataset rows;
  for (size_t i = 0; i < questions.size(); ++i) {
    if (limit >= 0 && static_cast<int64_t>(i) == limit) break;
    EncodedExample& row = rows.rows.emplace_back();
    row.ids = last_of(questions[i].history, length);
    row.types.assign(row.ids.size(), 0);
    row.targets = {static_cast<float>(first + i), cold ? 1.0F : 0.0F};
    row.row = static_cast<int64_t>(first + i);
  }
  return rows;
}

}  // namespace suanli
