// Sketches: exact while they hold everything, within their stated error beyond.
#include "data/sketch.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "data/hash.h"

namespace suanli {
namespace {

TEST(Reservoir, IsExactUpToItsCapacity) {
  Reservoir sample(101);
  for (int i = 100; i >= 0; --i) sample.add(i);
  EXPECT_TRUE(sample.exact());
  EXPECT_EQ(sample.rank_error(), 0);
  EXPECT_EQ(quantile(sample.sorted(), 0.25), 25);
  EXPECT_EQ(quantile(sample.sorted(), 0.505), 50.5);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Reservoir, QuantilesOfASortedStreamStayWithinTheRankError) {
  // A sorted stream is the worst for a sample that favours its beginning or its end. The bound holds for one stream
  // with probability 0.99; the sample is the same in every run, so that the test cannot fail by chance later.
  constexpr int kValues = 400000;
  for (uint32_t stream = 0; stream < 5; ++stream) {
    Reservoir sample(4096, stream);
    for (int i = 0; i < kValues; ++i) sample.add(i);
    const auto sorted = sample.sorted();
    ASSERT_EQ(sorted.size(), 4096U);
    for (const double q : {0.01, 0.25, 0.5, 0.75, 0.99}) {
      EXPECT_NEAR(quantile(sorted, q) / kValues, q, sample.rank_error() + 1.0 / 4096) << q << " stream " << stream;
    }
  }
  Reservoir big;
  for (int i = 0; i < 70000; ++i) big.add(i);
  EXPECT_NEAR(big.rank_error(), 0.0064, 0.0001);
}

TEST(DistinctCounter, EstimatesWithinFourStandardErrors) {
  for (const int distinct : {1, 50, 5000, 20000, 300000}) {
    DistinctCounter counter;
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < distinct; ++i) counter.add(hash_bytes("value " + std::to_string(i)));
    }
    EXPECT_NEAR(counter.estimate(), distinct, std::max(0.5, 4 * 0.0163 * distinct)) << distinct;
  }
}

TEST(FrequentValues, ExactUpToTheCapacityThenNeverTooHighAndTooLowByAtMostLost) {
  FrequentValues few(3);
  for (const char* value : {"b", "a", "b", "c", "b", "a"}) few.add(value);
  EXPECT_TRUE(few.exact());
  EXPECT_EQ(few.largest(2), (std::vector<std::pair<std::string, int64_t>>{{"b", 3}, {"a", 2}}));

  FrequentValues many(100);
  constexpr int kRounds = 20000;
  for (int i = 0; i < kRounds; ++i) {
    many.add("often");
    many.add("once " + std::to_string(i));
  }
  EXPECT_FALSE(many.exact());
  EXPECT_LE(many.lost(), 2 * kRounds / 101);
  const auto first = many.largest(1)[0];
  EXPECT_EQ(first.first, "often");
  EXPECT_LE(first.second, kRounds);
  EXPECT_GE(first.second, kRounds - many.lost());
}

}  // namespace
}  // namespace suanli
