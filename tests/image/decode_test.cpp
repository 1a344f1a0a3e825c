// Every form of JPEG and PNG decodes to the bytes that Pillow gives; hostile and damaged files end in one message.
#include "image/decode.h"

#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "expect_error.h"
#include "golden_images.h"
#include "image/png.h"

namespace suanli {
namespace {

TEST(Decode, EqualsPillow) {
  int compared = 0;
  for (const Json& expected : golden().at("decode")) {
    const std::string name = expected.at("file");
    for (const auto& [channels, key] :
         {std::pair{Channels::grey, "grey"}, {Channels::rgb, "rgb"}, {Channels::rgba, "rgba"}}) {
      if (!expected.contains(key)) continue;
      const Image image = read_image(golden_file(name), {.channels = channels});
      const auto pillow = golden_raster<uint8_t>(expected.at(key));
      EXPECT_TRUE(image == pillow) << name << " as " << key << ", " << image.height << " x " << image.width;
      const ImageSize size{image.height, image.width};
      EXPECT_EQ(read_image_size(golden_file(name)), size) << name;
      ++compared;
    }
    if (!expected.contains("mask")) continue;
    EXPECT_TRUE(read_mask(golden_file(name)) == golden_raster<uint16_t>(expected.at("mask"))) << name;
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

TEST(Decode, StoredChannelsAreThoseOfTheFile) {
  const auto channels = [](const std::string& name) {
    return read_image(golden_file(name), {.channels = Channels::stored}).channels;
  };
  EXPECT_EQ(channels("grey.jpg"), 1);
  EXPECT_EQ(channels("cmyk.jpg"), 3);
  EXPECT_EQ(channels("grey_16.png"), 1);
  EXPECT_EQ(channels("grey_alpha_8.png"), 2);
  EXPECT_EQ(channels("palette_4.png"), 3);
  EXPECT_EQ(channels("palette_4_alpha.png"), 4);
  EXPECT_EQ(channels("rgb_8_key.png"), 4);
}

TEST(Decode, OrientationIsAChoice) {
  const Image lying = read_image(golden_file("turned_6.jpg"), {.exif_transpose = false});
  EXPECT_EQ(lying.height, 9);
  EXPECT_EQ(read_image(golden_file("turned_6.jpg")).height, 14);
}

TEST(Decode, ACutFileIsAMessageOrWhatWasThere) {
  for (const char* name : {"rgb_2.jpg", "progressive.jpg", "rgb_8.png", "rgba_16.png", "palette_8.png"}) {
    const std::string whole = read_file(golden_file(name));
    for (const size_t kept : {whole.size() / 2, whole.size() - whole.size() / 4}) {
      const std::string cut = whole.substr(0, kept);
      const std::string message = error_of([&] { decode_image(bytes_of(cut), {}, "cut"); });
      EXPECT_NE(message.find("[cut] expected a whole"), std::string::npos) << name << ": " << message;
    }
  }
  const Image expected = read_image(golden_file("rgb_2.jpg"));
  const std::string whole = read_file(golden_file("rgb_2.jpg")), cut = whole.substr(0, whole.size() - 90);
  const Image part = decode_image(bytes_of(cut), {.allow_truncated = true}, "cut");
  ASSERT_EQ(part.height, expected.height);
  EXPECT_TRUE(std::equal(part.values.begin(), part.values.begin() + 30, expected.values.begin()));
  // PNGs come in blocks of 8 KiB: noise, so that there are several.
  Image noise(100, 200, 3);
  RandomGenerator random({1, 0, 0});
  for (uint8_t& value : noise.values) value = static_cast<uint8_t>(random.next());
  const std::string png = encode_png(noise);
  const Image top = decode_image(bytes_of(png.substr(0, png.size() / 2)), {.allow_truncated = true}, "cut");
  EXPECT_TRUE(std::equal(top.values.begin(), top.values.begin() + 30 * 600, noise.values.begin()));
  EXPECT_EQ(*top.at(99, 199), 0);
  // A header that is cut has nothing to give.
  const std::string header = read_file(golden_file("rgb_2.jpg")).substr(0, 60);
  error_of([&] { decode_image(bytes_of(header), {.allow_truncated = true}, "cut"); });
}

std::string with_png_size(uint32_t width, uint32_t height) {
  std::string png = read_file(golden_file("rgb_8.png"));
  for (int i = 0; i < 4; ++i) {
    png[static_cast<size_t>(16 + i)] = static_cast<char>(width >> (24 - 8 * i));
    png[static_cast<size_t>(20 + i)] = static_cast<char>(height >> (24 - 8 * i));
  }
  // CRC-32 of the chunk's name and content.
  uint32_t crc = ~0u;
  for (size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<uint8_t>(png[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  for (int i = 0; i < 4; ++i) png[static_cast<size_t>(29 + i)] = static_cast<char>(~crc >> (24 - 8 * i));
  return png;
}

TEST(Decode, AHugeHeaderTakesNoMemory) {
  const std::string huge = error_of([] { decode_image(bytes_of(with_png_size(100'000, 100'000)), {}, "huge"); });
  EXPECT_NE(huge.find("expected at most 89478485 pixels, the header says 100000 x 100000"), std::string::npos) << huge;
  // Within the limit of pixels, but no 508 bytes of DEFLATE hold them.
  const std::string bomb = error_of([] { decode_image(bytes_of(with_png_size(9'000, 9'000)), {}, "bomb"); });
  EXPECT_NE(bomb.find("cannot hold them"), std::string::npos) << bomb;
  std::string jpeg = read_file(golden_file("rgb_2.jpg"));
  const size_t frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  for (size_t i = 5; i < 9; ++i) jpeg[frame + i] = '\xFF';  // 65535 x 65535
  const std::string wide = error_of([&] { decode_image(bytes_of(jpeg), {}, "wide"); });
  EXPECT_NE(wide.find("pixels"), std::string::npos) << wide;
}

TEST(Decode, OtherContentSaysSo) {
  EXPECT_NE(error_of([] { decode_image({}, {}, "none"); }).find("empty file"), std::string::npos);
  const std::string text = "GIF89a and so on";
  EXPECT_NE(error_of([&] { decode_image(bytes_of(text), {}, "gif"); }).find("expected a JPEG or PNG"),
            std::string::npos);
  EXPECT_NE(error_of([] { read_mask(golden_file("grey.jpg")); }).find("compression"), std::string::npos);
  EXPECT_NE(error_of([] { read_mask(golden_file("rgb_8.png")); }).find("in colour"), std::string::npos);
}

TEST(Png, WhatIsWrittenIsReadBack) {
  for (const auto& [name, channels] :
       {std::pair{"grey_8.png", Channels::grey}, {"rgb_8.png", Channels::rgb}, {"rgba_8.png", Channels::rgba}}) {
    const Image image = read_image(golden_file(name), {.channels = channels});
    EXPECT_TRUE(decode_image(bytes_of(encode_png(image)), {.channels = Channels::stored}, "png") == image) << name;
  }
  const Mask mask = read_mask(golden_file("grey_16.png"));
  EXPECT_TRUE(decode_mask(bytes_of(encode_png(mask)), {}, "png") == mask);
}

TEST(Png, AGridHoldsItsPictures) {
  const std::vector<Image> images = {Image(2, 3, 1, 10), Image(2, 3, 1, 20), Image(2, 3, 1, 30)};
  const Image grid = image_grid(images, 2, 1);
  EXPECT_EQ(grid.height, 5);
  EXPECT_EQ(grid.width, 7);
  EXPECT_EQ(*grid.at(1, 2), 10);
  EXPECT_EQ(*grid.at(1, 3), 255);
  EXPECT_EQ(*grid.at(0, 4), 20);
  EXPECT_EQ(*grid.at(4, 0), 30);
  EXPECT_EQ(*grid.at(4, 4), 255);
}

}  // namespace
}  // namespace suanli
