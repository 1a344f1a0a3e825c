#include "image/draw.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace suanli {
namespace {

void fill(Image* image, int64_t top, int64_t left, int64_t bottom, int64_t right, Color color) {
  SUANLI_ASSERT(image->channels == 3);
  for (int64_t y = std::max<int64_t>(top, 0); y < std::min(bottom, image->height); ++y) {
    for (int64_t x = std::max<int64_t>(left, 0); x < std::min(right, image->width); ++x) {
      uint8_t* pixel = image->at(y, x);
      pixel[0] = color.red, pixel[1] = color.green, pixel[2] = color.blue;
    }
  }
}

int64_t whole(double place) { return std::llround(std::clamp(place, -1e6, 1e6)); }

}  // namespace

Color class_color(int64_t label) {
  static constexpr std::array<Color, 8> kColors = {{{230, 159, 0},
                                                    {86, 180, 233},
                                                    {0, 158, 115},
                                                    {240, 228, 66},
                                                    {0, 114, 178},
                                                    {213, 94, 0},
                                                    {204, 121, 167},
                                                    {0, 0, 0}}};
  return kColors[static_cast<size_t>(label) % kColors.size()];
}

void draw_box(Image* image, const Box& box, Color color, int64_t width) {
  const int64_t top = whole(box.top), left = whole(box.left);
  const int64_t bottom = std::max(whole(box.bottom), top + 1), right = std::max(whole(box.right), left + 1);
  fill(image, top, left, std::min(top + width, bottom), right, color);
  fill(image, std::max(bottom - width, top), left, bottom, right, color);
  fill(image, top, left, bottom, std::min(left + width, right), color);
  fill(image, top, std::max(right - width, left), bottom, right, color);
}

void draw_point(Image* image, const Point& at, Color color, int64_t radius) {
  const int64_t y = whole(std::floor(at.y)), x = whole(std::floor(at.x));
  fill(image, y - radius, x - radius, y + radius + 1, x + radius + 1, color);
}

void tint(Image* image, const Mask& mask) {
  SUANLI_ASSERT(image->channels == 3 && image->height == mask.height && image->width == mask.width);
  for (int64_t y = 0; y < mask.height; ++y) {
    for (int64_t x = 0; x < mask.width; ++x) {
      if (*mask.at(y, x) == 0) continue;
      const Color color = class_color(*mask.at(y, x) - 1);
      uint8_t* pixel = image->at(y, x);
      pixel[0] = static_cast<uint8_t>((pixel[0] + color.red) / 2);
      pixel[1] = static_cast<uint8_t>((pixel[1] + color.green) / 2);
      pixel[2] = static_cast<uint8_t>((pixel[2] + color.blue) / 2);
    }
  }
}

}  // namespace suanli
