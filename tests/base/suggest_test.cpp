// A mistyped name is answered with the nearest right one, and nothing far-fetched.
#include "base/suggest.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace suanli {
namespace {

TEST(Suggest, DistanceCountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("seed", "sede"), 1u) << "a swap of neighbours is one edit";
  EXPECT_EQ(edit_distance("ca", "abc"), 3u) << "the restricted form";
}

TEST(Suggest, DistanceIsSymmetric) {
  const std::vector<std::string> words = {"", "a", "learning_rate", "lr", "lerning_rat", "warmup", "warmpu_steps"};
  for (const std::string& a : words) {
    for (const std::string& b : words) EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << ' ' << b;
  }
}

TEST(Suggest, NearestNameForgivesTyposDashesAndCase) {
  const std::vector<std::string> names = {"learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "seed"};
  EXPECT_EQ(nearest_name("lerning_rate", names), "learning_rate");
  EXPECT_EQ(nearest_name("Learning-Rate", names), "learning_rate");
  EXPECT_EQ(nearest_name("warmpu_steps", names), "warmup_steps");
  EXPECT_EQ(nearest_name("sede", names), "seed");
  EXPECT_EQ(nearest_name("qqqqqqqqqqqqqq", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name(std::string(1 << 20, 'x'), names), "") << "must not take quadratic time";
  EXPECT_EQ(did_you_mean("sede", names), "; did you mean \"seed\"?");
  EXPECT_EQ(did_you_mean("qqqqqqqqqqqqqq", names), "");
}

}  // namespace
}  // namespace suanli
