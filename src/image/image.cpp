#include "image/image.h"

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

}  // namespace suanli
