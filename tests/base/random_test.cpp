// Random numbers are those of the paper, so that any other implementation (a GPU's) can be held to them.
#include "base/random.h"

#include <gtest/gtest.h>

namespace suanli {
namespace {

using Words = std::array<uint32_t, 4>;

// Known answers published with the authors' own code (Random123, kat_vectors, philox4x32 with 10 rounds).
TEST(Random, PhiloxGivesThePublishedAnswers) {
  EXPECT_EQ(philox({0, 0, 0}, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~uint64_t{0}, ~0u, ~0u}, ~uint64_t{0}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  const RandomKey pi = {0x299f31d0a4093822, 0x13198a2e, 0x03707344};
  EXPECT_EQ(philox(pi, 0x85a308d3243f6a88), (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, BelowIsUniformAndReachesEveryValue) {
  RandomGenerator random({1, 2, 3});
  constexpr int kDraws = 60000;
  std::array<int, 6> count = {};
  for (int i = 0; i < kDraws; ++i) ++count[random.below(count.size())];
  // Each count is binomial: mean 10,000, standard deviation sqrt(60000 * 1/6 * 5/6) = 91.3. Five of them is one
  // failure in a million for a right generator; this one is fixed by its key.
  for (const int c : count) EXPECT_NEAR(c, 10000, 5 * 91.3);
}

TEST(Random, UniformLiesInItsInterval) {
  EXPECT_EQ(uniform(0), 0.0f);
  EXPECT_LT(uniform(~0u), 1.0f);
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  RandomGenerator random({7, 0, 0});
  constexpr int kDraws = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.next_normal();
    sum += x;
    squares += x * x;
  }
  // Standard errors: 1/sqrt(n) = 0.0032 of the mean, sqrt(2/n) = 0.0045 of the variance; five of each.
  EXPECT_NEAR(sum / kDraws, 0.0, 5 * 0.0032);
  EXPECT_NEAR(squares / kDraws, 1.0, 5 * 0.0045);
}

}  // namespace
}  // namespace suanli
