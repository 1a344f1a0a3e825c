/// How well lists of recommended items hold the one that a user took next, and the two simple ways to make such lists.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "train/metrics.h"

namespace suanli {

/// The rank of `target`, from 1, among the items whose `allowed` is not 0: one more than those of a higher score; of
/// equal ones half stand before it, rounded up, so that a constant score finds nothing. NaN counts as the lowest.
/// Scores and `allowed` [N].
int64_t rank_of(std::span<const float> scores, std::span<const uint8_t> allowed, int32_t target);

/// The `k` allowed items of the highest scores, best first; of equal ones the first.
std::vector<int32_t> top_items(std::span<const float> scores, std::span<const uint8_t> allowed, int64_t k);

/// Ranks over a set of users, one right item each.
class RankingScores {
 public:
  explicit RankingScores(int64_t items) : items_(items) {}
  /// `shown`: the ten items at the top.
  void add(int64_t rank, std::span<const int32_t> shown);
  /// ndcg@10 (1 / log2(rank + 1), 0 beyond 10: with one right item the best is 1), recall@10, mrr (1 / rank, without a
  /// limit) as means over users, coverage@10: the share of all items that somebody was shown. NaN before the first.
  Scores scores() const;

 private:
  int64_t items_, count_ = 0;
  double gain_ = 0, hits_ = 0, reciprocal_ = 0;
  std::set<int32_t> shown_;
};

/// Scores of all items for a user with this history, oldest first.
using ItemScorer = std::function<void(std::span<const int32_t> history, std::span<float> scores)>;

/// How many users liked each item; the same for everybody.
ItemScorer popularity(const std::vector<std::vector<int32_t>>& likes, int32_t items);

/// Items beside those that a user liked (Sarwar et al. 2001): score(j) = sum over i of the history of s(i, j) where j
/// is among the k nearest of i, s(i, j) = n_ij / sqrt(n_i n_j) with n_ij users who liked both.
class ItemNeighbours {
 public:
  /// Keeps the `most` nearest of each item.
  ItemNeighbours(const std::vector<std::vector<int32_t>>& likes, int32_t items, int64_t most);
  /// `k` <= most. The neighbours must outlive it.
  ItemScorer scorer(int64_t k) const;

 private:
  struct Neighbour {
    int32_t item;
    float similarity;
  };
  std::vector<std::vector<Neighbour>> nearest_;  ///< of each item, the nearest first
};

}  // namespace suanli
