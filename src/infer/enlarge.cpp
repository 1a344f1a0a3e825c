#include "infer/enlarge.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "image/geometry.h"
#include "image/resize.h"
#include "infer/prediction.h"

namespace suanli::infer {

std::vector<float> unit_values(const Image& image) {
  std::vector<float> values(image.values.size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(image.values[i]) / 255;
  return values;
}

Image enlarged_bicubic(const Image& image, const models::SuperResolutionConfig& config) {
  return resize(image, image.height * config.upscale, image.width * config.upscale, Resample::bicubic);
}

Image enlarged(const Image& image, const models::Network& network, const models::SuperResolutionConfig& config,
               const Device& device, const nn::Mode& mode, int64_t tile) {
  const NoGradient guard;
  const int64_t factor = config.upscale, reach = config.reach, channels = config.channels;
  const int64_t scale = config.enlarged_input ? 1 : factor;  // of the network itself
  const Image given = config.enlarged_input ? enlarged_bicubic(image, config) : image;
  Image result(image.height * factor, image.width * factor, channels);
  for (int64_t top = 0; top < given.height; top += tile) {
    for (int64_t left = 0; left < given.width; left += tile) {
      const int64_t bottom = std::min(top + tile, given.height), right = std::min(left + tile, given.width);
      // What lies around, up to the border of the picture, where the network pads as it does in training.
      const int64_t y = std::max<int64_t>(0, top - reach), x = std::max<int64_t>(0, left - reach);
      const int64_t height = std::min(bottom + reach, given.height) - y,
                    width = std::min(right + reach, given.width) - x;
      const Tensor pixels = constant_of(unit_values(window(given, y, x, height, width)), {1, height, width, channels});
      const std::vector<float> values = values_on_host(network.enlarged_pixels(pixels.on(device), mode));
      for (int64_t row = top * scale; row < bottom * scale; ++row) {
        const float* from = values.data() + ((row - y * scale) * width * scale + (left - x) * scale) * channels;
        uint8_t* to = result.at(row, left * scale);
        for (int64_t i = 0; i < (right - left) * scale * channels; ++i) {
          to[i] = static_cast<uint8_t>(std::lround(std::clamp(from[i], 0.0F, 1.0F) * 255));
        }
      }
    }
  }
  return result;
}

}  // namespace suanli::infer
