#include "image/image.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace suanli {

Image with_channels(Image image, int64_t channels) {
  SUANLI_ASSERT(channels >= 1 && channels <= 4 && image.channels >= 1 && image.channels <= 4);
  if (image.channels == channels) return image;
  Image result(image.height, image.width, channels);
  const bool had_color = image.channels >= 3, has_color = channels >= 3;
  const bool had_alpha = image.channels % 2 == 0, has_alpha = channels % 2 == 0;
  const int64_t pixels = image.height * image.width;
  for (int64_t i = 0; i < pixels; ++i) {
    const uint8_t* from = image.values.data() + i * image.channels;
    uint8_t* to = result.values.data() + i * channels;
    if (!has_color) {
      to[0] = had_color ? luma(from) : from[0];
    } else {
      for (int c = 0; c < 3; ++c) to[c] = had_color ? from[c] : from[0];
    }
    if (has_alpha) to[channels - 1] = had_alpha ? from[image.channels - 1] : 255;
  }
  return result;
}

ImageStatistics statistics_of(const Image& image) {
  std::array<int64_t, 256> counts = {};
  const int64_t pixels = image.height * image.width;
  for (int64_t i = 0; i < pixels; ++i) {
    const uint8_t* pixel = image.values.data() + i * image.channels;
    ++counts[image.channels >= 3 ? luma(pixel) : pixel[0]];
  }
  const double count = std::max(1.0, static_cast<double>(pixels));
  double sum = 0, squares = 0;
  for (int value = 0; value < 256; ++value) {
    const double share = static_cast<double>(counts[static_cast<size_t>(value)]) / count, x = value / 255.0;
    sum += share * x;
    squares += share * x * x;
  }
  return {.brightness = sum, .contrast = std::sqrt(std::max(0.0, squares - sum * sum))};
}

}  // namespace suanli
