#include "train/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace suanli {

int64_t rank_of(std::span<const float> scores, std::span<const uint8_t> allowed, int32_t target) {
  const auto number = [](float score) { return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score; };
  const float own = number(scores[static_cast<size_t>(target)]);
  int64_t above = 0, equal = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (allowed[i] == 0 || static_cast<int32_t>(i) == target) continue;
    const float score = number(scores[i]);
    above += score > own ? 1 : 0;
    equal += score == own ? 1 : 0;
  }
  return 1 + above + (equal + 1) / 2;
}

std::vector<int32_t> top_items(std::span<const float> scores, std::span<const uint8_t> allowed, int64_t k) {
  std::vector<int32_t> items;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (allowed[i] != 0 && !std::isnan(scores[i])) items.push_back(static_cast<int32_t>(i));
  }
  const auto better = [&](int32_t a, int32_t b) {
    const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const auto count = std::min(static_cast<size_t>(k), items.size());
  std::partial_sort(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count), items.end(), better);
  items.resize(count);
  return items;
}

void RankingScores::add(int64_t rank, std::span<const int32_t> shown) {
  ++count_;
  gain_ += rank <= 10 ? 1 / std::log2(static_cast<double>(rank) + 1) : 0;
  hits_ += rank <= 10 ? 1 : 0;
  reciprocal_ += 1 / static_cast<double>(rank);
  shown_.insert(shown.begin(), shown.end());
}

Scores RankingScores::scores() const {
  const auto users = static_cast<double>(count_);
  const double covered = count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(shown_.size());
  return {{"ndcg@10", gain_ / users},
          {"recall@10", hits_ / users},
          {"mrr", reciprocal_ / users},
          {"coverage@10", covered / static_cast<double>(items_)}};
}

ItemScorer popularity(const std::vector<std::vector<int32_t>>& likes, int32_t items) {
  std::vector<float> count(static_cast<size_t>(items), 0);
  for (const auto& user : likes) {
    for (const int32_t item : user) count[static_cast<size_t>(item)] += 1;
  }
  return [count = std::move(count)](std::span<const int32_t>, std::span<float> scores) {
    std::ranges::copy(count, scores.begin());
  };
}

ItemNeighbours::ItemNeighbours(const std::vector<std::vector<int32_t>>& likes, int32_t items, int64_t most)
    : nearest_(static_cast<size_t>(items)) {
  std::vector<std::vector<size_t>> fans(static_cast<size_t>(items));
  for (size_t user = 0; user < likes.size(); ++user) {
    for (const int32_t item : likes[user]) fans[static_cast<size_t>(item)].push_back(user);
  }
  std::vector<float> both(static_cast<size_t>(items), 0);
  std::vector<int32_t> touched;
  for (size_t i = 0; i < fans.size(); ++i) {
    touched.clear();
    for (const size_t user : fans[i]) {
      for (const int32_t item : likes[user]) {
        float& count = both[static_cast<size_t>(item)];
        if (count == 0) touched.push_back(item);
        count += 1;
      }
    }
    auto& nearest = nearest_[i];
    for (const int32_t item : touched) {
      const auto j = static_cast<size_t>(item);
      const auto product = static_cast<float>(fans[i].size() * fans[j].size());
      if (j != i) nearest.push_back({item, both[j] / std::sqrt(product)});
      both[j] = 0;
    }
    std::ranges::sort(nearest, [](const Neighbour& a, const Neighbour& b) {
      return a.similarity != b.similarity ? a.similarity > b.similarity : a.item < b.item;
    });
    if (std::ssize(nearest) > most) nearest.resize(static_cast<size_t>(most));
    nearest.shrink_to_fit();
  }
}

ItemScorer ItemNeighbours::scorer(int64_t k) const {
  return [this, k](std::span<const int32_t> history, std::span<float> scores) {
    std::ranges::fill(scores, 0.0F);
    for (const int32_t item : history) {
      const auto& nearest = nearest_[static_cast<size_t>(item)];
      const auto count = std::min(static_cast<size_t>(k), nearest.size());
      for (size_t n = 0; n < count; ++n) scores[static_cast<size_t>(nearest[n].item)] += nearest[n].similarity;
    }
  };
}

}  // namespace suanli
