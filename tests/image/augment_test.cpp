// Augmentation is a function of (seed, epoch, index), and boxes, masks and points stay on the pixels that they are of.
#include "image/augment.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "expect_error.h"
#include "image/geometry.h"
#include "image/warp.h"

namespace suanli {
namespace {

Image gradient(int64_t height, int64_t width) {
  Image image(height, width, 3);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      image.at(y, x)[0] = static_cast<uint8_t>(5 * x);
      image.at(y, x)[1] = static_cast<uint8_t>(7 * y);
      image.at(y, x)[2] = static_cast<uint8_t>(x * y);
    }
  }
  return image;
}

AugmentOptions colors_off() {
  AugmentOptions options;
  options.hsv_h = options.hsv_s = options.hsv_v = 0;
  return options;
}

TEST(Warp, WholePixelsAndQuarterTurnsAreExact) {
  const Image image = gradient(12, 17);
  EXPECT_TRUE(warp(image, {}, 12, 17, 0) == image);
  EXPECT_TRUE(warp(image, Projection::translation(3, -2), 12, 17, 9) == window(image, 2, -3, 12, 17, uint8_t{9}));
  // Counter-clockwise by 90 degrees: the upper right corner becomes the upper left one.
  const Projection turn = Projection::translation(0, 17) * Projection::rotation(90, 1);
  EXPECT_TRUE(warp(image, turn, 17, 12, 0) == flip_up_down(transpose(image)));
  Mask mask(12, 17, 1);
  for (size_t i = 0; i < mask.values.size(); ++i) mask.values[i] = static_cast<uint16_t>(i);
  EXPECT_TRUE(warp(mask, turn, 17, 12, 0) == flip_up_down(transpose(mask)));
}

TEST(Warp, InverseUndoes) {
  const Projection map = Projection::translation(5, 7) * Projection::shear(10, -3) * Projection::rotation(33, 0.7) *
                         Projection::perspective(1e-3, -5e-4);
  const Point p = map.inverse()(map({12, 34}));
  EXPECT_NEAR(p.x, 12, 1e-9);
  EXPECT_NEAR(p.y, 34, 1e-9);
  EXPECT_NE(error_of([] { static_cast<void>(Projection::scaling(0, 1).inverse()); }).find("flattens"),
            std::string::npos);
}

/// A bright rectangle on black with its box, outline, mask and corners as key points.
AnnotatedImage rectangle(int64_t height, int64_t width, int64_t top, int64_t left, int64_t bottom, int64_t right) {
  AnnotatedImage annotated{Image(height, width, 3), {}, Mask(height, width, 1)};
  for (int64_t y = top; y < bottom; ++y) {
    std::fill_n(annotated.image.at(y, left), 3 * (right - left), uint8_t{255});
    std::fill_n(annotated.mask.at(y, left), right - left, uint16_t{1});
  }
  const double l = static_cast<double>(left), t = static_cast<double>(top), r = static_cast<double>(right),
               b = static_cast<double>(bottom);
  ImageObject object{{l, t, r, b}, 1};
  object.key_points = {{{l, t}, 2}, {{r, t}, 2}, {{r, b}, 2}, {{l, b}, 1}};
  object.polygons = {{{l, t}, {r, t}, {r, b}, {l, b}}};
  annotated.objects = {object};
  return annotated;
}

/// The box of the pixels that are more than half bright; grey filling is 114.
Box bright(const Image& image) {
  Box box{1e9, 1e9, -1, -1};
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      if (*image.at(y, x) < 185) continue;  // between the filling and the rectangle
      box = {std::min(box.left, static_cast<double>(x)), std::min(box.top, static_cast<double>(y)),
             std::max(box.right, static_cast<double>(x + 1)), std::max(box.bottom, static_cast<double>(y + 1))};
    }
  }
  return box;
}

TEST(AugmentAnnotated, EverythingStaysOnItsPixels) {
  AugmentOptions options = colors_off();
  options.mosaic = 0;
  options.degrees = 40;
  options.shear = 8;
  options.perspective = 0.0005;
  options.scale = 0.3;
  options.flipud = 0.5;
  int compared = 0;
  for (int64_t index = 0; index < 60; ++index) {
    RandomGenerator random = augment_random(1, 0, index);
    const AnnotatedImage moved = augment_annotated(
        index, 60, [](int64_t) { return rectangle(128, 128, 40, 44, 80, 90); }, 128, options, random);
    if (moved.objects.empty()) continue;
    const ImageObject& object = moved.objects.front();
    // Cut by the border, an outline has another box than its corners.
    if (std::any_of(object.key_points.begin(), object.key_points.end(),
                    [](const KeyPoint& k) { return k.visibility == 0; })) {
      continue;
    }
    const Box seen = bright(moved.image);
    // A sharp corner of a turned rectangle fills less than half of its last pixels.
    EXPECT_NEAR(object.box.left, seen.left, 2.5) << index;
    EXPECT_NEAR(object.box.top, seen.top, 2.5) << index;
    EXPECT_NEAR(object.box.right, seen.right, 2.5) << index;
    EXPECT_NEAR(object.box.bottom, seen.bottom, 2.5) << index;
    Mask outline(128, 128, 1);
    fill_polygons(object.polygons, 1, &outline);
    int64_t area = 0, differing = 0;
    for (size_t i = 0; i < outline.values.size(); ++i) {
      area += moved.mask.values[i];
      differing += outline.values[i] != moved.mask.values[i];
    }
    EXPECT_GT(area, 100);
    EXPECT_LT(differing, 5) << "the outline and the mask are the same pixels but for ties; " << index;
    for (size_t k = 0; k < 4; ++k) {
      const KeyPoint& key = object.key_points[k];
      EXPECT_NEAR(key.at.x, object.polygons[0][k].x, 1e-9);
      EXPECT_EQ(key.visibility, k == 3 ? 1 : 2);
    }
    ++compared;
  }
  EXPECT_GT(compared, 30);
}

TEST(AugmentAnnotated, AMosaicHoldsTheBoxesOfFourPictures) {
  AugmentOptions options = colors_off();
  options.scale = 0;
  options.translate = 0;
  options.fliplr = 0;
  size_t objects = 0;
  for (int64_t index = 0; index < 20; ++index) {
    RandomGenerator random = augment_random(2, 0, index);
    const AnnotatedImage moved = augment_annotated(
        index, 20, [](int64_t) { return rectangle(64, 64, 4, 4, 60, 60); }, 64, options, random);
    EXPECT_EQ(moved.image.height, 64);
    EXPECT_LE(moved.objects.size(), 4u);
    objects += moved.objects.size();
    // Every bright pixel lies in a box, and the boxes hold bright pixels alone.
    int64_t inside = 0, seen = 0, area = 0;
    for (int64_t y = 0; y < 64; ++y) {
      for (int64_t x = 0; x < 64; ++x) {
        const bool is_bright = *moved.image.at(y, x) == 255;
        const bool in_box = std::any_of(moved.objects.begin(), moved.objects.end(), [&](const ImageObject& o) {
          return o.box.left <= static_cast<double>(x) && static_cast<double>(x + 1) <= o.box.right &&
                 o.box.top <= static_cast<double>(y) && static_cast<double>(y + 1) <= o.box.bottom;
        });
        seen += is_bright;
        area += in_box;
        inside += is_bright && in_box;
      }
    }
    EXPECT_EQ(inside, area);
    EXPECT_GE(inside, seen * 6 / 10) << "a box cut to under a tenth is dropped";
  }
  EXPECT_GT(objects, 35u);
}

TEST(AugmentAnnotated, EqualForEqualSeedEpochAndIndexAlone) {
  AugmentOptions options;
  options.mixup = 0.5;
  const auto fetch = [](int64_t i) {
    AnnotatedImage a{gradient(40 + i, 50), {{{5, 5, 30, 30}, static_cast<int32_t>(i)}}, {}};
    return a;
  };
  const auto made = [&](uint64_t seed, int64_t epoch, int64_t index) {
    RandomGenerator random = augment_random(seed, epoch, index);
    return augment_annotated(index, 10, fetch, 48, options, random).image.values;
  };
  EXPECT_EQ(made(1, 2, 3), made(1, 2, 3));
  EXPECT_NE(made(1, 2, 3), made(2, 2, 3));
  EXPECT_NE(made(1, 2, 3), made(1, 3, 3));
  EXPECT_NE(made(1, 2, 3), made(1, 2, 4));
}

TEST(AugmentAnnotated, FlippedKeyPointsChangeNames) {
  AnnotatedImage annotated = rectangle(20, 30, 5, 6, 15, 20);
  const std::vector<KeyPoint> before = annotated.objects[0].key_points;
  const std::vector<int32_t> flip_idx = {1, 0, 3, 2};
  flip_left_right(&annotated, flip_idx);
  const std::vector<KeyPoint>& after = annotated.objects[0].key_points;
  EXPECT_EQ(after[0], (KeyPoint{{30 - before[1].at.x, before[1].at.y}, 2})) << "upper left is upper left still";
  EXPECT_EQ(annotated.objects[0].box, (Box{10, 5, 24, 15}));
  flip_left_right(&annotated, flip_idx);
  EXPECT_EQ(annotated.objects[0].key_points, before);
  const std::vector<int32_t> short_list = {0};
  EXPECT_NE(error_of([&] { flip_left_right(&annotated, short_list); }).find("one number for each"), std::string::npos);
}

std::string text_of(const Image& image) { return {image.values.begin(), image.values.end()}; }

TEST(AugmentClassified, CropsAreInsideAndOfTheSize) {
  AugmentOptions options = colors_off();
  options.erasing = 0;
  std::set<std::string> seen;
  for (int64_t index = 0; index < 50; ++index) {
    RandomGenerator random = augment_random(3, 0, index);
    const Image image = augment_classified(gradient(40, 25), 16, 20, options, random);
    EXPECT_EQ(image.height, 16);
    EXPECT_EQ(image.width, 20);
    seen.insert(text_of(image));
  }
  EXPECT_EQ(seen.size(), 50u);
  // A picture of one colour stays so: nothing from outside comes in.
  RandomGenerator random = augment_random(3, 1, 0);
  const Image plain = augment_classified(Image(9, 90, 3, 77), 8, 8, options, random);
  EXPECT_TRUE(plain == Image(8, 8, 3, 77));
}

TEST(AugmentClassified, PaddedCropsMoveByWholePixels) {
  AugmentOptions options = colors_off();
  options.erasing = options.fliplr = 0;
  options.crop_padding = 4;
  const Image image = gradient(12, 12);
  std::set<std::string> places;
  for (int64_t y = -4; y <= 4; ++y) {
    for (int64_t x = -4; x <= 4; ++x) places.insert(text_of(window(image, y, x, 12, 12)));
  }
  std::set<std::string> seen;
  for (int64_t index = 0; index < 1500; ++index) {
    RandomGenerator random = augment_random(4, 0, index);
    seen.insert(text_of(augment_classified(image, 12, 12, options, random)));
  }
  EXPECT_EQ(seen, places);  // 1,500 draws leave one of 81 places out with a probability of 81 (80/81)^1500 = 6e-7
}

TEST(AugmentClassified, ErasesTheShareOfPictures) {
  AugmentOptions options = colors_off();
  options.scale = 0;
  options.erasing = 0.4;
  int erased = 0;
  for (int64_t index = 0; index < 500; ++index) {
    RandomGenerator random = augment_random(5, 0, index);
    const Image image = augment_classified(Image(32, 32, 3, 200), 32, 32, options, random);
    const auto black = std::count(image.values.begin(), image.values.end(), 0);
    if (black == 0) continue;
    ++erased;
    EXPECT_LT(black, 0.38 * 3072);  // 33 % and the rounding of two sides
  }
  EXPECT_NEAR(erased, 200, 4 * std::sqrt(500 * 0.4 * 0.6));  // four standard deviations
}

TEST(Mix, ACutSharesTheLabelAsThePixels) {
  AugmentOptions options;
  options.cutmix = 1;
  double mean = 0;
  for (int64_t index = 0; index < 200; ++index) {
    RandomGenerator random = augment_random(6, 0, index);
    LabelMix mix = draw_mix(7, options, random);
    EXPECT_TRUE(mix.cut);
    EXPECT_LT(mix.partner, 7);
    Image image(20, 30, 1, 1);
    apply_mix(&image, Image(20, 30, 1, 0), &mix, random);
    EXPECT_DOUBLE_EQ(mix.share, static_cast<double>(std::count(image.values.begin(), image.values.end(), 1)) / 600);
    mean += mix.share / 200;
  }
  EXPECT_GT(mean, 0.5);  // Beta(1, 1) has 0.5; rectangles over the border take less
}

TEST(Mix, SharesFollowTheBetaDistribution) {
  AugmentOptions options;
  options.mixup = 1;
  double sum = 0, squares = 0;
  constexpr int kCount = 4000;
  for (int64_t index = 0; index < kCount; ++index) {
    RandomGenerator random = augment_random(7, 0, index);
    const double share = draw_mix(2, options, random).share;
    sum += share;
    squares += share * share;
  }
  const double mean = sum / kCount, variance = squares / kCount - mean * mean, exact = 1 / (4 * (2 * 0.2 + 1));
  EXPECT_NEAR(mean, 0.5, 4 * std::sqrt(exact / kCount));
  EXPECT_NEAR(variance, exact, 0.01);  // the fourth moment of Beta(0.2, 0.2) gives a deviation of 0.0014
  RandomGenerator random = augment_random(7, 0, 0);
  Image image(4, 4, 1, 100);
  LabelMix mix{0, false, 0.25};
  apply_mix(&image, Image(4, 4, 1, 200), &mix, random);
  EXPECT_TRUE(image == Image(4, 4, 1, 175));
}

TEST(AugmentOptions, NonsenseIsRefused) {
  AugmentOptions options;
  check(options);
  options.fliplr = 1.5;
  EXPECT_NE(error_of([&] { check(options); }).find("[fliplr] expected a number from 0 to 1, got 1.5"),
            std::string::npos);
}

}  // namespace
}  // namespace suanli
