// Duplicates: every exact one; near ones as often as banding promises; unlike ones never.
#include "data/duplicates.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/concat.h"
#include "base/random.h"
#include "data/content.h"
#include "expect_error.h"

namespace suanli {
namespace {

/// `count` words, the first `shared` of them from `base`, the others its own.
std::string text_of(int base, int own, int count, int shared) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += concat(i < shared ? "b" : "o", i < shared ? base : own, "_", i, " ");
  }
  return text;
}

TEST(Duplicates, TheFirstRowOfEachHash) {
  EXPECT_EQ(first_with_same_hash({5, 7, 5, 0, 0, 7, 5}),
            (std::vector<uint32_t>{kNoRow, kNoRow, 0, kNoRow, kNoRow, 1, 0}));
  EXPECT_TRUE(first_with_same_hash({}).empty());
}

TEST(MinHash, EstimatesTheJaccardSimilarityWithoutBias) {
  // Two sets of 100 words that share k have s = k / (200 - k). The mean over 200 pairs has a standard
  // error of at most 0.044 / sqrt(200) = 0.0031; five of them.
  for (const int shared : {0, 50, 80, 95, 100}) {
    const double s = shared / (200.0 - shared);
    double sum = 0;
    for (int pair = 0; pair < 200; ++pair) {
      sum += jaccard(min_hash(text_of(pair, 2 * pair, 100, shared), 1),
                     min_hash(text_of(pair, 2 * pair + 1, 100, shared), 1));
    }
    EXPECT_NEAR(sum / 200, s, 0.016) << shared;
  }
}

TEST(MinHash, ShinglesSeeTheOrderAndShortTextsHaveOne) {
  EXPECT_EQ(jaccard(min_hash("a b c d", 1), min_hash("d c b a", 1)), 1.0);
  EXPECT_LT(jaccard(min_hash("a b c d", 2), min_hash("d c b a", 2)), 0.1);
  EXPECT_EQ(jaccard(min_hash("a", 3), min_hash("a", 3)), 1.0);
  EXPECT_LT(jaccard(min_hash("a", 3), min_hash("", 3)), 0.1);
}

/// The share of 300 pairs of similarity s = shared / (200 - shared) that are found.
double found_share(int shared, double threshold) {
  NearDuplicates finder(threshold);
  for (int pair = 0; pair < 300; ++pair) {
    for (int side = 0; side < 2; ++side) {
      const MinHash signature = min_hash(text_of(pair, 2 * pair + side, 100, shared), 1);
      finder.add(&signature);
    }
  }
  const std::vector<uint32_t> first = finder.find();
  int found = 0;
  for (uint32_t pair = 0; pair < 300; ++pair) {
    EXPECT_EQ(first[2 * pair], kNoRow) << "the first of a pair stays, and pairs are unlike";
    EXPECT_TRUE(first[2 * pair + 1] == kNoRow || first[2 * pair + 1] == 2 * pair);
    found += first[2 * pair + 1] != kNoRow;
  }
  return found / 300.0;
}

TEST(NearDuplicates, FindsWhatBandingPromises) {
  // s = 0.905 against threshold 0.8: banding finds 0.9999, the estimate stays above with 4 standard errors.
  EXPECT_GT(found_share(95, 0.8), 0.97);
  EXPECT_EQ(found_share(100, 0.8), 1.0);
  // s = 0.667: the estimate reaches 0.8 with a probability of 0.001 alone.
  EXPECT_LT(found_share(80, 0.8), 0.03);
  // Bands of four: s = 0.667 against threshold 0.55 is found with 0.999 by banding, 0.997 by the estimate.
  EXPECT_GT(found_share(80, 0.55), 0.96);
  EXPECT_EQ(found_share(0, 0.5), 0.0);
}

TEST(NearDuplicates, RowsLeftOutAreNobodysDuplicate) {
  NearDuplicates finder(0.8);
  const MinHash signature = min_hash("one two three", 1);
  finder.add(&signature);
  finder.add(nullptr);
  finder.add(nullptr);
  finder.add(&signature);
  EXPECT_EQ(finder.find(), (std::vector<uint32_t>{kNoRow, kNoRow, kNoRow, 0}));
  EXPECT_THROW(NearDuplicates(0.3), UserError);
  EXPECT_THROW(NearDuplicates(std::nan("")), UserError);
}

}  // namespace
}  // namespace suanli
