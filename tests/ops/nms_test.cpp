// What remains of boxes on one thing: against the definition, and what it says of ties and groups.
#include "ops/nms.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace suanli::ops {
namespace {

TEST(BoxIou, IsTheSharedPart) {
  EXPECT_FLOAT_EQ(box_iou({0, 0, 4, 2}, {2, 0, 6, 2}), 4.0F / 12);
  EXPECT_EQ(box_iou({0, 0, 4, 2}, {4, 0, 6, 2}), 0);
}

TEST(Nms, KeepsTheBestAndWhatTouchesItLittle) {
  const std::vector<CornerBox> boxes = {{0, 0, 10, 10}, {0, 0, 10, 9}, {20, 0, 30, 10}, {0, 0, 10, 5}, {20, 0, 30, 10}};
  const std::vector<float> scores = {0.5F, 0.9F, 0.3F, 0.2F, 0.3F};
  EXPECT_EQ(nms(boxes, scores, 0.6), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(nms(boxes, scores, 0.5), (std::vector<int64_t>{1, 2})) << "5 of 9 lines";
  EXPECT_EQ(batched_nms(boxes, scores, std::vector<int32_t>{0, 1, 0, 0, 1}, 0.4), (std::vector<int64_t>{1, 0, 2, 4}));
  EXPECT_EQ(nms({}, {}, 0.5), std::vector<int64_t>{});
}

// The two sentences that define it: no kept box covers a later one by more than the threshold, and each box that is
// gone is covered so by a kept one before it.
TEST(Nms, IsWhatItsDefinitionSays) {
  RandomGenerator random({.seed = 4, .step = 0, .site = 1});
  std::vector<CornerBox> boxes;
  std::vector<float> scores;
  std::vector<int32_t> groups;
  for (int i = 0; i < 300; ++i) {
    const float x = 60 * random.next_uniform(), y = 60 * random.next_uniform();
    boxes.push_back({x, y, x + 5 + 30 * random.next_uniform(), y + 5 + 30 * random.next_uniform()});
    scores.push_back(static_cast<float>(random.below(50)));
    groups.push_back(static_cast<int32_t>(random.below(2)));
  }
  const std::vector<int64_t> kept = batched_nms(boxes, scores, groups, 0.3);
  const auto covers = [&](int64_t a, int64_t b) {
    const auto i = static_cast<size_t>(a), k = static_cast<size_t>(b);
    return groups[i] == groups[k] && box_iou(boxes[i], boxes[k]) > 0.3F;
  };
  const auto before = [&](int64_t a, int64_t b) {
    const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    return x > y || (x == y && a < b);
  };
  EXPECT_TRUE(std::ranges::is_sorted(kept, before));
  EXPECT_GT(kept.size(), 10U);
  for (int64_t i = 0; i < 300; ++i) {
    const bool is_kept = std::ranges::count(kept, i) == 1;
    const bool covered = std::ranges::any_of(kept, [&](int64_t k) { return before(k, i) && covers(k, i); });
    EXPECT_NE(is_kept, covered) << i;
  }
}

}  // namespace
}  // namespace suanli::ops
