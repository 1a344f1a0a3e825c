// Scores of pictures against scikit-image, and at their ends.
#include "image/quality.h"

#include <gtest/gtest.h>

#include <cmath>

#include "golden_images.h"

namespace suanli {
namespace {

/// As make_quality.py makes them.
Image picture(int64_t height, int64_t width, int64_t channels, int64_t factor, bool changed) {
  Image image(height, width, channels);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t value = 128 + (x * 3 + y * factor) % 101 - (x * y) % 37 + 5 * c;
        image.at(y, x)[c] = static_cast<uint8_t>(value + (changed ? (5 * x + 11 * y + 3 * c) % 17 - 8 : 0));
      }
    }
  }
  return image;
}

TEST(ImageQuality, IsThatOfScikitImage) {
  const Json cases = read_json(golden_folder() / "quality.json")["cases"];
  ASSERT_EQ(cases.size(), 3u);
  for (const Json& each : cases) {
    const auto number = [&](const char* key) { return each.at(key).get<int64_t>(); };
    const auto plane = [&](bool changed) {
      return luma_plane(picture(number("height"), number("width"), number("channels"), number("factor"), changed),
                        number("border"));
    };
    const Raster<double> a = plane(false), b = plane(true);
    // Sums of f64 in another order: far below the digits that papers print.
    EXPECT_NEAR(psnr(a, b), each["psnr"].get<double>(), 1e-10);
    EXPECT_NEAR(ssim(a, b), each["ssim"].get<double>(), 1e-10);
    EXPECT_NEAR(ssim(a, b), ssim(b, a), 1e-12);
  }
}

TEST(ImageQuality, OfEqualPicturesIsTheBest) {
  const Raster<double> plane = luma_plane(picture(11, 11, 3, 4, false), 0);
  EXPECT_TRUE(std::isinf(psnr(plane, plane)));
  EXPECT_NEAR(ssim(plane, plane), 1, 1e-12);
}

TEST(ImageQuality, LumaOfBlackAndWhiteIsThatOfStudios) {
  EXPECT_DOUBLE_EQ(luma_plane(Image(1, 1, 3, 0), 0).values[0], 16);
  EXPECT_NEAR(luma_plane(Image(1, 1, 3, 255), 0).values[0], 235, 1e-9);
  EXPECT_DOUBLE_EQ(luma_plane(Image(3, 3, 1, 77), 1).values[0], 77);
}

}  // namespace
}  // namespace suanli
