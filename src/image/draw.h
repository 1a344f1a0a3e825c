/// Marks in pictures, for people who look at what a model found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/annotated.h"

namespace suanli {

/// A picture that shows something, and what it shows.
struct CaptionedImage {
  std::string caption;
  Image image;
};

struct Color {
  uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Color&) const = default;
};

/// The colour of class `label`: eight that people tell apart (Okabe and Ito 2008), then again from the first.
Color class_color(int64_t label);

/// All of these draw into [H, W, 3]; what lies outside is left out.
/// The frame of a box, `width` pixels wide, inside it.
void draw_box(Image* image, const Box& box, Color color, int64_t width = 2);
/// A filled square of side 2 radius + 1 around the pixel of a point.
void draw_point(Image* image, const Point& at, Color color, int64_t radius = 2);
/// Half the colour of its class over each pixel whose number in `mask` [H, W, 1] is above 0.
void tint(Image* image, const Mask& mask);

}  // namespace suanli
