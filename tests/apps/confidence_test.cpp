// A threshold chosen on one part of the messages keeps wrong answers rare on another.
#include "apps/confidence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace suanli::apps {
namespace {

/// Messages whose answers are right with the probability that their score says; every fifth is out of scope, with
/// scores that are lower.
std::vector<Judged> made_messages(size_t count, uint32_t site) {
  RandomGenerator random({.seed = 3, .site = site});
  std::vector<Judged> out;
  for (size_t i = 0; i < count; ++i) {
    const double score = random.next_uniform();
    const bool in_scope = i % 5 != 0;
    out.push_back({.score = in_scope ? score : score * 0.8,
                   .right = in_scope && random.next_uniform() < score,
                   .in_scope = in_scope});
  }
  return out;
}

TEST(Confidence, AThresholdKeepsItsPromiseOnMessagesThatItHasNotSeen) {
  const auto holdout = made_messages(4000, 1), test = made_messages(4000, 2);
  double coverage_before = 0;
  for (const double most : {0.01, 0.05, 0.1}) {
    const double threshold = choose_threshold(holdout, most);
    EXPECT_LE(confidence_at(holdout, threshold).wrong_confident_rate(), most);
    // Four standard deviations of a share of 4000 on either side.
    EXPECT_LE(confidence_at(test, threshold).wrong_confident_rate(), most + 4 * std::sqrt(2 * most / 4000));
    const double coverage = confidence_at(test, threshold).coverage();
    EXPECT_GT(coverage, coverage_before) << "more mistakes buy more answers";
    coverage_before = coverage;
  }
}

TEST(Confidence, TheThresholdIsTheLeastThatKeepsThePromise) {
  const std::vector<Judged> messages = {{0.9, true}, {0.8, false}, {0.7, true}, {0.6, false, false}};
  EXPECT_EQ(choose_threshold(messages, 0.25), 0.7);
  EXPECT_EQ(choose_threshold(messages, 0), 0.9);
  EXPECT_EQ(choose_threshold(messages, 1), 0.6);
  EXPECT_GT(choose_threshold(std::vector<Judged>{{0.9, false}}, 0), 0.9) << "nothing may be answered";
  EXPECT_EQ(choose_threshold(std::vector<Judged>{{0.9, true}, {0.9, false}, {0.8, true}}, 0), std::nextafter(0.9, 2))
      << "of equal scores all are answered or none";
}

TEST(Confidence, RatesAreWhatTheyAreCalled) {
  const std::vector<Judged> messages = {
      {0.9, true}, {0.8, false}, {0.3, true}, {0.7, false, false}, {0.1, false, false}};
  const Confidence out = confidence_at(messages, 0.5);
  EXPECT_EQ(out.in_scope, 3);
  EXPECT_EQ(out.out_of_scope, 2);
  EXPECT_DOUBLE_EQ(out.coverage(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(out.wrong_confident_rate(), 2.0 / 5);
  EXPECT_DOUBLE_EQ(out.error_of_answers(), 2.0 / 3);
  EXPECT_EQ(confidence_at({}, 0.5).error_of_answers(), 0);
}

}  // namespace
}  // namespace suanli::apps
