// Ranks and their scores are those of their definitions; the simple lists are what they say they are.
#include "train/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace suanli {
namespace {

const std::vector<uint8_t> kAll(5, 1);

TEST(RankOf, CountsWhatStandsAboveAndHalfOfWhatIsEqual) {
  const std::vector<float> scores = {3, 1, 2, 2, 2};
  EXPECT_EQ(rank_of(scores, kAll, 0), 1);
  EXPECT_EQ(rank_of(scores, kAll, 1), 5);
  EXPECT_EQ(rank_of(scores, kAll, 2), 3) << "one above, one of the two equal ones";
  EXPECT_EQ(rank_of(scores, std::vector<uint8_t>{0, 1, 1, 1, 0}, 2), 2) << "what is not allowed stands nowhere";
  EXPECT_EQ(rank_of(std::vector<float>(5, 7), kAll, 0), 3) << "a constant score finds nothing";
  EXPECT_EQ(rank_of(std::vector<float>{NAN, 1, 2, 3, 4}, kAll, 0), 5);
  EXPECT_EQ(rank_of(std::vector<float>{NAN, NAN, NAN, NAN, NAN}, kAll, 0), 3);
}

TEST(TopItems, AreTheBestThatAreAllowed) {
  EXPECT_EQ(top_items(std::vector<float>{1, 5, 5, 9, NAN}, std::vector<uint8_t>{1, 1, 1, 0, 1}, 2),
            (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(top_items(std::vector<float>{1, 2}, std::vector<uint8_t>{1, 1}, 10).size(), 2U);
}

TEST(RankingScores, EqualThoseByHand) {
  RankingScores ranks(20);
  for (const int64_t rank : {1, 3, 10, 11}) ranks.add(rank, std::vector<int32_t>{0, 1, static_cast<int32_t>(rank)});
  const Scores scores = ranks.scores();
  EXPECT_DOUBLE_EQ(*find_score(scores, "ndcg@10"), (1 + 1 / std::log2(4) + 1 / std::log2(11)) / 4);
  EXPECT_DOUBLE_EQ(*find_score(scores, "recall@10"), 0.75);
  EXPECT_DOUBLE_EQ(*find_score(scores, "mrr"), (1 + 1.0 / 3 + 1.0 / 10 + 1.0 / 11) / 4);
  EXPECT_DOUBLE_EQ(*find_score(scores, "coverage@10"), 5.0 / 20) << "0, 1, 3, 10, 11";
  for (const auto& [name, value] : RankingScores(3).scores()) EXPECT_TRUE(std::isnan(value)) << name;
}

TEST(Popularity, CountsUsers) {
  std::vector<float> scores(3);
  popularity({{0, 1}, {1}}, 3)({}, scores);
  EXPECT_EQ(scores, (std::vector<float>{1, 2, 0}));
}

TEST(ItemNeighbours, AreCosinesOfTheUsersThatLikedBoth) {
  // Users {0,1}, {0,1,2}, {2,3}: n = 2 2 2 1; n_01 = 2, n_02 = 1, n_12 = 1, n_23 = 1.
  const ItemNeighbours neighbours({{0, 1}, {0, 1, 2}, {2, 3}}, 5, 3);
  std::vector<float> scores(5);
  neighbours.scorer(3)(std::vector<int32_t>{0}, scores);
  EXPECT_EQ(scores, (std::vector<float>{0, 1, 0.5F, 0, 0}));
  neighbours.scorer(1)(std::vector<int32_t>{0}, scores);
  EXPECT_EQ(scores, (std::vector<float>{0, 1, 0, 0, 0})) << "the nearest alone";
  neighbours.scorer(3)(std::vector<int32_t>{0, 2, 4}, scores);
  EXPECT_FLOAT_EQ(scores[1], 1.5F);
  EXPECT_FLOAT_EQ(scores[3], 1 / std::sqrt(2.0F));
  const ItemNeighbours one({{0, 1}, {0, 1, 2}, {2, 3}}, 5, 1);
  one.scorer(1)(std::vector<int32_t>{2}, scores);
  EXPECT_EQ(scores[3], 1 / std::sqrt(2.0F)) << "of 0.5, 0.5 and 0.71 the last is kept";
  EXPECT_EQ(scores[0], 0);
}

}  // namespace
}  // namespace suanli
