// Masking hides the right share of the right tokens, anew each epoch, and never depends on order or threads.
#include "data/masking.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "expect_error.h"

namespace suanli {
namespace {

constexpr int32_t kMaskId = 103, kVocabulary = 30000, kTrueId = 5000;

MaskingOptions options() {
  MaskingOptions o;
  o.mask_id = kMaskId;
  o.vocab_size = kVocabulary;
  o.seed = 42;
  return o;
}

EncodedExample plain(int64_t row, size_t length) {
  EncodedExample e;
  e.row = row;
  e.ids.assign(length, kTrueId);
  e.types.assign(length, 0);
  e.special.assign(length, 0);
  e.special.front() = e.special.back() = 1;
  return e;
}

/// |observed - expected| in standard deviations of a binomial count.
double sigmas(double observed, double trials, double p) {
  return std::abs(observed - trials * p) / std::sqrt(trials * p * (1 - p));
}

TEST(Masking, SharesAreThoseOfBert) {
  constexpr size_t kRows = 2000, kLength = 128;
  double tokens = 0, chosen = 0, masked = 0, kept = 0, random = 0, random_sum = 0;
  for (size_t row = 0; row < kRows; ++row) {
    EncodedExample e = plain(static_cast<int64_t>(row), kLength);
    mask_tokens(&e, options(), 0);
    for (size_t t = 0; t < kLength; ++t) {
      if (e.special[t] != 0) {
        ASSERT_EQ(e.labels[t], kIgnoredLabel);
        ASSERT_EQ(e.ids[t], kTrueId) << "a special token must stay";
        continue;
      }
      ++tokens;
      if (e.labels[t] == kIgnoredLabel) {
        ASSERT_EQ(e.ids[t], kTrueId) << "a token that is not chosen must stay";
        continue;
      }
      ASSERT_EQ(e.labels[t], kTrueId) << "the label is the true token";
      ++chosen;
      if (e.ids[t] == kMaskId) {
        ++masked;
      } else if (e.ids[t] == kTrueId) {
        ++kept;
      } else {
        ASSERT_GE(e.ids[t], 0);
        ASSERT_LT(e.ids[t], kVocabulary);
        ++random;
        random_sum += e.ids[t];
      }
    }
  }
  // Four standard deviations each. A random token equals the true one or the mask in 2 of 30,000 cases: far below one.
  EXPECT_LT(sigmas(chosen, tokens, 0.15), 4.0);
  EXPECT_LT(sigmas(masked, chosen, 0.8), 4.0);
  EXPECT_LT(sigmas(kept, chosen, 0.1), 4.0);
  EXPECT_LT(sigmas(random, chosen, 0.1), 4.0);
  // Uniform ids: mean V/2, standard error V / sqrt(12 n).
  EXPECT_LT(std::abs(random_sum / random - kVocabulary / 2.0), 4 * kVocabulary / std::sqrt(12 * random));
}

TEST(Masking, TheSameRowAndEpochGiveTheSameMaskAnotherEpochAnother) {
  EncodedExample a = plain(3, 200), b = plain(3, 200), later = plain(3, 200), other_row = plain(4, 200);
  mask_tokens(&other_row, options(), 1);
  mask_tokens(&a, options(), 1);
  mask_tokens(&later, options(), 2);
  mask_tokens(&b, options(), 1);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_NE(a.labels, later.labels);
  EXPECT_NE(a.labels, other_row.labels);
  MaskingOptions seeded = options();
  seeded.seed = 43;
  EncodedExample c = plain(3, 200);
  mask_tokens(&c, seeded, 1);
  EXPECT_NE(a.labels, c.labels);
}

TEST(Masking, AMaskDependsOnItsPositionNotOnTheLengthOfTheRow) {
  EncodedExample shorter = plain(5, 100), longer = plain(5, 150);
  mask_tokens(&shorter, options(), 0);
  mask_tokens(&longer, options(), 0);
  for (size_t t = 1; t < 99; ++t) ASSERT_EQ(shorter.labels[t], longer.labels[t]);
}

TEST(Masking, BordersOfTheShares) {
  MaskingOptions all = options();
  all.probability = 1.0;
  all.mask_share = 1.0;
  all.random_share = 0.0;
  EncodedExample e = plain(0, 50);
  mask_tokens(&e, all, 0);
  for (size_t t = 1; t < 49; ++t) EXPECT_EQ(e.ids[t], kMaskId);
  MaskingOptions none = options();
  none.probability = 0.0;
  EncodedExample f = plain(0, 50);
  mask_tokens(&f, none, 0);
  for (const int32_t label : f.labels) EXPECT_EQ(label, kIgnoredLabel);
}

TEST(Masking, OptionsWithoutMeaningAreRefused) {
  EncodedExample e = plain(0, 5);
  MaskingOptions wrong = options();
  wrong.probability = 1.5;
  EXPECT_THROW(mask_tokens(&e, wrong, 0), UserError);
  wrong = options();
  wrong.random_share = 0.3;
  EXPECT_THROW(mask_tokens(&e, wrong, 0), UserError);
  wrong = options();
  wrong.probability = std::nan("");
  EXPECT_THROW(mask_tokens(&e, wrong, 0), UserError);
  wrong = options();
  wrong.mask_id = -1;
  EXPECT_NE(error_of([&] { mask_tokens(&e, wrong, 0); }).find("needs a mask token"), std::string::npos);
}

}  // namespace
}  // namespace suanli
