// Shapes: their element count, text, comparison, and refusal of sizes that do not fit.
#include "tensor/shape.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/error.h"

namespace suanli {
namespace {

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape{}.rank(), 0);
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ((Shape{2, 3, 4}.elements()), 24);
  EXPECT_EQ((Shape{5, 0, 7}.elements()), 0);
  EXPECT_EQ((Shape{int64_t{1} << 31, int64_t{1} << 31}.elements()), int64_t{1} << 62);
}

TEST(Shape, NegativeDimensionsCountFromTheEnd) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.dim(0), 2);
  EXPECT_EQ(shape.dim(-1), 4);
  EXPECT_EQ(shape.dim(-3), 2);
  EXPECT_EQ(shape[1], 3);
  EXPECT_THROW(shape.dim(3), UserError);
  EXPECT_THROW(shape.dim(-4), UserError);
  EXPECT_THROW(Shape{}.dim(0), UserError);
}

TEST(Shape, ComparesRankAndSizes) {
  EXPECT_TRUE((Shape{2, 3} == Shape{2, 3}));
  EXPECT_FALSE((Shape{2, 3} == Shape{3, 2}));
  EXPECT_FALSE((Shape{2, 3} == Shape{2, 3, 1}));
  EXPECT_FALSE((Shape{} == Shape{1}));
}

TEST(Shape, TextIsWhatErrorsShow) {
  EXPECT_EQ(Shape{}.text(), "[]");
  EXPECT_EQ((Shape{7}.text()), "[7]");
  EXPECT_EQ((Shape{2, 0, 3}.text()), "[2, 0, 3]");
}

TEST(Shape, RefusesWhatDoesNotFit) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  EXPECT_THROW((Shape{-1}), UserError);
  EXPECT_THROW((Shape{2, -3}), UserError);
  EXPECT_THROW((Shape{kHuge}), UserError);
  EXPECT_THROW((Shape{kHuge, kHuge}), UserError);
  EXPECT_THROW((Shape{int64_t{1} << 31, int64_t{1} << 32}), UserError);
  EXPECT_THROW((Shape{int64_t{1} << 32, int64_t{1} << 32}), UserError);  // 2^64: wraps to 0
  EXPECT_THROW((Shape{std::numeric_limits<int64_t>::min()}), UserError);
  EXPECT_THROW(Shape(std::vector<int64_t>(9, 1)), UserError);
  EXPECT_EQ(Shape(std::vector<int64_t>(8, 1)).elements(), 1);
}

TEST(Shape, ErrorsHoldTheSizes) {
  try {
    const Shape shape{4, -2};
    FAIL() << shape.text();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("[4, -2]"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace suanli
