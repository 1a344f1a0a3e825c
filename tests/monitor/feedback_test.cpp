// Labels that come later count once, for answers that were given.
#include "monitor/feedback.h"

#include <gtest/gtest.h>

namespace suanli::monitor {
namespace {

TEST(Feedback, EachAnswerCountsOnce) {
  Feedback feedback;
  feedback.answered("a", 0, "cat");
  feedback.answered("a", 1, "dog");
  EXPECT_EQ(feedback.label("a", 0, "cat"), Feedback::Result::counted);
  EXPECT_EQ(feedback.label("a", 0, "cat"), Feedback::Result::counted_before);
  EXPECT_EQ(feedback.label("a", 1, "cat"), Feedback::Result::counted);
  EXPECT_EQ(feedback.label("a", 2, "cat"), Feedback::Result::unknown_id);
  EXPECT_EQ(feedback.label("b", 0, "cat"), Feedback::Result::unknown_id);
  EXPECT_EQ(feedback.accuracy().labelled, 2);
  EXPECT_EQ(feedback.accuracy().correct, 1);
}

TEST(Feedback, TheIntervalIsWilsons) {
  Feedback feedback;
  EXPECT_EQ(feedback.accuracy().low, 0);
  EXPECT_EQ(feedback.accuracy().high, 1);
  for (int i = 0; i < 100; ++i) {
    feedback.answered(std::to_string(i), 0, "cat");
    feedback.label(std::to_string(i), 0, i < 90 ? "cat" : "dog");
  }
  // scipy 1.17.1: binomtest(90, 100).proportion_ci(method="wilson")
  EXPECT_NEAR(feedback.accuracy().low, 0.8256343384950865, 1e-12);
  EXPECT_NEAR(feedback.accuracy().high, 0.9447708629393249, 1e-12);
}

TEST(Feedback, OldAnswersAreForgotten) {
  Feedback feedback(10);
  for (int i = 0; i < 1000; ++i) feedback.answered(std::to_string(i), 0, "cat");
  EXPECT_EQ(feedback.label("989", 0, "cat"), Feedback::Result::unknown_id);
  EXPECT_EQ(feedback.label("990", 0, "cat"), Feedback::Result::counted);
}

}  // namespace
}  // namespace suanli::monitor
