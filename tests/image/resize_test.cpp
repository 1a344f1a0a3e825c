// Resizing, colour changes and image processors give the numbers of Pillow and transformers.
#include "image/resize.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "expect_error.h"
#include "golden_images.h"
#include "image/color.h"
#include "image/geometry.h"
#include "image/processor.h"

namespace suanli {
namespace {

TEST(Resize, EqualsPillow) {
  for (const Json& expected : golden().at("resize")) {
    const auto image = golden_raster<uint8_t>(expected.at("image"));
    const auto pillow = golden_raster<uint8_t>(expected.at("result"));
    const Image resized = resize(image, pillow.height, pillow.width, expected.at("filter").get<Resample>());
    EXPECT_TRUE(resized == pillow) << image.channels << " channels, " << pillow.width << " x " << pillow.height
                                   << ", filter " << expected.at("filter");
  }
  EXPECT_EQ(golden().at("resize").size(), 4u * 6 * 6);
}

TEST(Color, EqualsPillow) {
  for (const Json& expected : golden().at("color")) {
    auto image = golden_raster<uint8_t>(expected.at("image"));
    const std::string change = expected.at("change");
    const auto adjust = change == "brightness" ? adjust_brightness
                        : change == "contrast" ? adjust_contrast
                                               : adjust_saturation;
    adjust(&image, expected.at("factor"));
    EXPECT_TRUE(image == golden_raster<uint8_t>(expected.at("result"))) << change << " " << expected.at("factor");
  }
  EXPECT_EQ(golden().at("color").size(), 18u);
}

TEST(Color, HsvTurnsTheCircle) {
  Image red(1, 2, 3);
  *red.at(0, 0) = 200;
  *red.at(0, 1) = 255;
  Image green = red;
  adjust_hsv(&green, 1 / 3.0f, 1, 1);
  EXPECT_EQ((std::vector<uint8_t>{0, 200, 0, 0, 255, 0}), green.values);
  Image same = golden_raster<uint8_t>(golden().at("color").at(0).at("image"));
  const Image before = same;
  adjust_hsv(&same, 0, 1, 1);
  EXPECT_TRUE(same == before);
  adjust_hsv(&same, 2, 1, 1);  // whole turns; f32 sixths of a circle round to within one step
  for (size_t i = 0; i < same.values.size(); ++i) EXPECT_NEAR(same.values[i], before.values[i], 1);
  adjust_hsv(&red, 0, 0.5f, 0.5f);
  EXPECT_EQ((std::vector<uint8_t>{100, 50, 50, 128, 64, 64}), red.values);
}

TEST(ImageProcessor, EqualsTransformers) {
  for (const Json& expected : golden().at("processor")) {
    const ImageProcessor processor = ImageProcessor::from_json(expected.at("config"), "golden");
    const Image image = processor.resized(golden_raster<uint8_t>(expected.at("image")));
    std::vector<float> values(image.values.size());
    processor.pixel_values(image, values);
    const auto shape = expected.at("result").at("shape").get<std::vector<int64_t>>();
    const auto result = golden_array<float>(expected.at("result"));
    ASSERT_EQ(image.width, shape[2]) << expected.at("config");
    for (int64_t c = 0; c < 3; ++c) {
      for (int64_t i = 0; i < shape[1] * shape[2]; ++i) {
        const auto at = static_cast<size_t>(c * image.height * image.width + i);
        ASSERT_EQ(values[at], result[static_cast<size_t>(c * shape[1] * shape[2] + i)]) << expected.at("config");
      }
    }
  }
}

TEST(ImageProcessor, WrittenAndReadIsTheSame) {
  for (const Json& expected : golden().at("processor")) {
    const ImageProcessor processor = ImageProcessor::from_json(expected.at("config"), "golden");
    const Json json = processor.to_json();
    EXPECT_EQ(ImageProcessor::from_json(json, "again").to_json(), json);
    for (const char* key : {"size", "resample", "do_normalize", "image_mean", "rescale_factor"}) {
      EXPECT_EQ(json.at(key), expected.at("config").at(key)) << key;
    }
  }
}

TEST(ImageProcessor, NumbersBecomeThePictureAgain) {
  ImageProcessor processor;
  processor.image_mean = {0.485, 0.456, 0.406};
  processor.image_std = {0.229, 0.224, 0.225};
  const Image image = golden_raster<uint8_t>(golden().at("color").at(0).at("image"));
  std::vector<float> values(image.values.size());
  processor.pixel_values(image, values);
  EXPECT_TRUE(processor.picture(values, image.height, image.width) == image);
}

TEST(ImageProcessor, NonsenseIsRefused) {
  const auto message = [](const char* json) {
    return error_of([&] { ImageProcessor::from_json(parse_json(json, "p"), "p"); });
  };
  EXPECT_NE(message(R"({"size": {"height": 8}})").find("expected \"size\""), std::string::npos);
  EXPECT_NE(message(R"({"size": 1000000})").find("from 1 to"), std::string::npos);
  EXPECT_NE(message(R"({"resample": 9})").find("from 0 to 5"), std::string::npos);
  EXPECT_NE(message(R"({"image_mean": [0.5]})").find("got 1 and 3"), std::string::npos);
  EXPECT_NE(message(R"({"image_std": [1, 0, 1]})").find("above 0"), std::string::npos);
}

TEST(Geometry, WindowsCropAndPad) {
  Image image(2, 3, 1);
  image.values = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(window(image, 0, 1, 2, 2).values, (std::vector<uint8_t>{2, 3, 5, 6}));
  EXPECT_EQ(window(image, -1, -1, 2, 3, uint8_t{9}).values, (std::vector<uint8_t>{9, 9, 9, 9, 1, 2}));
  EXPECT_EQ(window(image, 5, 5, 1, 1, uint8_t{9}).values, (std::vector<uint8_t>{9}));
  EXPECT_EQ(flip_left_right(image).values, (std::vector<uint8_t>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(flip_up_down(image).values, (std::vector<uint8_t>{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(transpose(image).values, (std::vector<uint8_t>{1, 4, 2, 5, 3, 6}));
}

TEST(Geometry, LetterboxKeepsTheShape) {
  const Image image(30, 60, 3, 200);
  const Image box = letterbox(image, 64, 64);
  EXPECT_EQ(box.height, 64);
  EXPECT_EQ(box.width, 64);
  EXPECT_EQ(*box.at(15, 0), 114);
  EXPECT_EQ(*box.at(16, 0), 200);
  EXPECT_EQ(*box.at(47, 63), 200);
  EXPECT_EQ(*box.at(48, 63), 114);
}

}  // namespace
}  // namespace suanli
