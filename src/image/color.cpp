#include "image/color.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace suanli {
namespace {

uint8_t away_from(int base, int value, float factor) {
  const float result = static_cast<float>(base) + factor * static_cast<float>(value - base);
  return static_cast<uint8_t>(std::clamp(result, 0.0f, 255.0f));
}

void away_from(Image* image, int base, float factor) {
  std::array<uint8_t, 256> table;
  for (int value = 0; value < 256; ++value) table[static_cast<size_t>(value)] = away_from(base, value, factor);
  for (uint8_t& value : image->values) value = table[value];
}

}  // namespace

void adjust_brightness(Image* image, float factor) { away_from(image, 0, factor); }

void adjust_contrast(Image* image, float factor) {
  SUANLI_ASSERT(image->channels == 1 || image->channels == 3);
  uint64_t sum = 0;
  const size_t channels = static_cast<size_t>(image->channels), pixels = image->values.size() / channels;
  for (size_t i = 0; i < image->values.size(); i += channels) {
    sum += channels == 3 ? luma(&image->values[i]) : image->values[i];
  }
  const double mean = static_cast<double>(sum) / static_cast<double>(pixels);
  away_from(image, static_cast<int>(mean + 0.5), factor);
}

void adjust_saturation(Image* image, float factor) {
  if (image->channels != 3) return;
  for (size_t i = 0; i < image->values.size(); i += 3) {
    uint8_t* pixel = &image->values[i];
    const int grey = luma(pixel);
    for (int c = 0; c < 3; ++c) pixel[c] = away_from(grey, pixel[c], factor);
  }
}

void adjust_hsv(Image* image, float hue, float saturation, float value) {
  if (image->channels != 3) {
    adjust_brightness(image, value);
    return;
  }
  const float turn = 6 * (hue - std::floor(hue));
  for (size_t i = 0; i < image->values.size(); i += 3) {
    uint8_t* pixel = &image->values[i];
    const float r = pixel[0], g = pixel[1], b = pixel[2];
    const float most = std::max({r, g, b}), range = most - std::min({r, g, b});
    float h = 0;  // in sixths of the circle
    if (range > 0) h = most == r ? (g - b) / range : most == g ? 2 + (b - r) / range : 4 + (r - g) / range;
    h += turn + 6;
    const float s = most > 0 ? std::min(1.0f, saturation * range / most) : 0;
    const float v = std::min(255.0f, value * most);
    for (int c = 0; c < 3; ++c) {  // distance of the channel's own sixth: red 5, green 3, blue 1
      const float k = std::fmod(static_cast<float>(5 - 2 * c) + h, 6.0f);
      pixel[c] = static_cast<uint8_t>(v - v * s * std::clamp(std::min(k, 4 - k), 0.0f, 1.0f) + 0.5f);
    }
  }
}

}  // namespace suanli
