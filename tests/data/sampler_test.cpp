// An epoch holds every row once, in an order that depends on seed and epoch alone.
#include "data/sampler.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "expect_error.h"

namespace suanli {
namespace {

using enum SamplingStrategy;

/// Lengths as of real text: many short, few long.
std::vector<int64_t> lengths_of(int64_t rows) {
  RandomGenerator random({11, 0, 0});
  std::vector<int64_t> lengths(static_cast<size_t>(rows));
  for (int64_t& length : lengths) length = 4 + static_cast<int64_t>(random.below(12) * random.below(12));
  return lengths;
}

Sampler sampler(SamplingStrategy strategy, int64_t rows, int64_t batch, uint64_t seed = 42, bool drop_last = false) {
  return Sampler(strategy, rows, batch, seed, drop_last,
                 strategy == group_by_length ? lengths_of(rows) : std::vector<int64_t>());
}

TEST(Sampler, NoRowIsLostOrTwice) {
  for (const SamplingStrategy strategy : {sequential, random, group_by_length}) {
    for (const int64_t rows : {1, 7, 8, 9, 100, 1601, 5000}) {
      for (const int64_t batch : {1, 8, 32}) {
        Sampler s = sampler(strategy, rows, batch);
        ASSERT_EQ(s.batches_per_epoch(), (rows + batch - 1) / batch);
        std::vector<int64_t> seen;
        for (int64_t i = 0; i < s.batches_per_epoch(); ++i) {
          const auto part = s.batch(3, i);
          ASSERT_EQ(static_cast<int64_t>(part.size()), std::min(batch, rows - i * batch));
          seen.insert(seen.end(), part.begin(), part.end());
        }
        std::sort(seen.begin(), seen.end());
        std::vector<int64_t> expected(static_cast<size_t>(rows));
        std::iota(expected.begin(), expected.end(), 0);
        ASSERT_EQ(seen, expected);
      }
    }
  }
}

TEST(Sampler, PartsTogetherAreTheBatch) {
  for (const int64_t parts : {1, 2, 3, 8}) {
    Sampler whole = sampler(random, 29, 8);
    for (int64_t i = 0; i < whole.batches_per_epoch(); ++i) {
      const auto expected = whole.batch(1, i);
      std::vector<int64_t> together;
      for (int64_t part = 0; part < parts; ++part) {
        Sampler s = sampler(random, 29, 8);
        s.take_part(part, parts);
        const auto rows = s.batch(1, i);
        EXPECT_LE(std::abs(static_cast<int64_t>(rows.size() * parts) - static_cast<int64_t>(expected.size())), parts);
        together.insert(together.end(), rows.begin(), rows.end());
      }
      EXPECT_TRUE(std::ranges::equal(together, expected)) << parts << " parts of batch " << i;
    }
  }
}

TEST(Sampler, AnyBatchOfAnyEpochIsTheSameHoweverItIsReached) {
  for (const SamplingStrategy strategy : {random, group_by_length}) {
    Sampler run = sampler(strategy, 1000, 16);
    std::vector<int64_t> walked;
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      for (int64_t i = 0; i < run.batches_per_epoch(); ++i) {
        const auto batch = run.batch(epoch, i);
        walked.assign(batch.begin(), batch.end());
        if (i % 20 != 7) continue;
        Sampler fresh = sampler(strategy, 1000, 16);
        const auto again = fresh.batch(epoch, i);
        ASSERT_EQ(walked, std::vector<int64_t>(again.begin(), again.end()));
      }
    }
    EXPECT_NE(run.order(0), run.order(1));
    EXPECT_NE(run.order(0), sampler(strategy, 1000, 16, 43).order(0));
  }
  EXPECT_EQ(sampler(random, 8, 1).order(0), (std::vector<int64_t>{0, 5, 6, 3, 4, 7, 1, 2}))
      << "the order itself must not change";
}

TEST(Sampler, AShuffleIsUniform) {
  // 24 orders of 4 rows over 24,000 epochs: each count is binomial with mean 1000 and deviation 30.96; five of them.
  const Sampler s = sampler(random, 4, 1);
  std::vector<int> count(4 * 4 * 4 * 4, 0);
  for (int64_t epoch = 0; epoch < 24000; ++epoch) {
    const auto rows = s.order(epoch);
    ++count[static_cast<size_t>(((rows[0] * 4 + rows[1]) * 4 + rows[2]) * 4 + rows[3])];
  }
  const auto orders = std::count_if(count.begin(), count.end(), [](int n) { return n > 0; });
  EXPECT_EQ(orders, 24);
  for (const int n : count) {
    if (n > 0) {
      EXPECT_NEAR(n, 1000, 5 * 30.96);
    }
  }
}

/// Real tokens over those a padded batch would hold.
double density(const Sampler& s, const std::vector<int64_t>& lengths, int64_t batch) {
  const auto rows = s.order(1);
  double real = 0, padded = 0;
  for (size_t begin = 0; begin < rows.size(); begin += static_cast<size_t>(batch)) {
    const size_t end = std::min(rows.size(), begin + static_cast<size_t>(batch));
    int64_t longest = 0;
    for (size_t i = begin; i < end; ++i) {
      longest = std::max(longest, lengths[static_cast<size_t>(rows[i])]);
      real += static_cast<double>(lengths[static_cast<size_t>(rows[i])]);
    }
    padded += static_cast<double>(longest) * static_cast<double>(end - begin);
  }
  return real / padded;
}

TEST(Sampler, GroupingByLengthLeavesLittlePadding) {
  constexpr int64_t kRows = 10000, kBatch = 32;
  const auto lengths = lengths_of(kRows);
  const double grouped = density(sampler(group_by_length, kRows, kBatch), lengths, kBatch);
  const double shuffled = density(sampler(random, kRows, kBatch), lengths, kBatch);
  // Sorted windows of 1,600 rows: the 50 batches of a window share its range of lengths, so that little of each is
  // padding; a random batch of 32 nearly always holds one of the longest rows.
  EXPECT_GT(grouped, 0.93);
  EXPECT_LT(shuffled, 0.5);
}

TEST(Sampler, TheLongestRowComesFirst) {
  const auto lengths = lengths_of(2000);
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  Sampler s = sampler(group_by_length, 2000, 16);
  for (int64_t epoch = 0; epoch < 5; ++epoch) EXPECT_EQ(lengths[static_cast<size_t>(s.batch(epoch, 0)[0])], longest);
}

TEST(Sampler, BatchOrderDoesNotFollowLength) {
  // Were the batches of a window left sorted, each would be no longer than the one before: all steps down but few.
  const auto lengths = lengths_of(1600);
  Sampler s = sampler(group_by_length, 1600, 16);
  int up = 0;
  for (int64_t i = 1; i < s.batches_per_epoch(); ++i) {
    up += lengths[static_cast<size_t>(s.batch(0, i)[0])] > lengths[static_cast<size_t>(s.batch(0, i - 1)[0])];
  }
  EXPECT_GT(up, 30) << "of 99 steps about half go up";
}

TEST(Sampler, DropLastLeavesOutWhatFillsNoBatch) {
  EXPECT_EQ(sampler(random, 17, 8, 1, true).batches_per_epoch(), 2);
  EXPECT_NE(error_of([] { sampler(random, 7, 8, 1, true); }).find("7 rows make no whole batch of 8"),
            std::string::npos);
  EXPECT_THROW(sampler(random, 7, 0), UserError);
  EXPECT_THROW(sampler(random, 0, 8), UserError);
}

}  // namespace
}  // namespace suanli
