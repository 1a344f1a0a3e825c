// Marks lie where they should, and nothing outside the picture is touched.
#include "image/draw.h"

#include <gtest/gtest.h>

namespace suanli {
namespace {

constexpr Color kRed = {255, 0, 0};

Color at(const Image& image, int64_t y, int64_t x) {
  const uint8_t* pixel = image.at(y, x);
  return {pixel[0], pixel[1], pixel[2]};
}

int64_t marked(const Image& image, Color color) {
  int64_t count = 0;
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) count += at(image, y, x) == color ? 1 : 0;
  }
  return count;
}

TEST(Draw, ABoxIsAFrameInsideItsSides) {
  Image image(10, 12, 3);
  draw_box(&image, {2, 1, 10, 7}, kRed, 2);
  EXPECT_EQ(marked(image, kRed), 8 * 6 - 4 * 2);
  EXPECT_EQ(at(image, 1, 2), kRed);
  EXPECT_EQ(at(image, 6, 9), kRed);
  EXPECT_EQ(at(image, 3, 4), Color());
  EXPECT_EQ(at(image, 7, 9), Color());
}

TEST(Draw, WhatLiesOutsideIsLeftOut) {
  Image image(4, 4, 3);
  draw_box(&image, {-5, -5, 2, 2}, kRed, 1);  // of its frame two pixels lie inside beside the corner
  EXPECT_EQ(marked(image, kRed), 3);
  draw_box(&image, {1e300, 1e300, 1e301, 1e301}, kRed);
  draw_point(&image, {-100, 2}, kRed);
  EXPECT_EQ(marked(image, kRed), 3);
}

TEST(Draw, APointIsASquareAroundItsPixel) {
  Image image(9, 9, 3);
  draw_point(&image, {4.9, 3.2}, kRed, 1);
  EXPECT_EQ(marked(image, kRed), 9);
  EXPECT_EQ(at(image, 2, 3), kRed);
  EXPECT_EQ(at(image, 4, 5), kRed);
}

TEST(Draw, AMaskTintsItsPixelsAlone) {
  Image image(2, 2, 3, 100);
  Mask mask(2, 2, 1);
  *mask.at(0, 1) = 1;
  tint(&image, mask);
  const Color first = class_color(0);
  EXPECT_EQ(at(image, 0, 1),
            (Color{static_cast<uint8_t>((100 + first.red) / 2), static_cast<uint8_t>((100 + first.green) / 2),
                   static_cast<uint8_t>((100 + first.blue) / 2)}));
  EXPECT_EQ(at(image, 0, 0), (Color{100, 100, 100}));
}

}  // namespace
}  // namespace suanli
