#include "image/geometry.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "image/resize.h"

namespace suanli {

template <class T>
Raster<T> flip_left_right(const Raster<T>& image) {
  Raster<T> result(image.height, image.width, image.channels);
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      std::copy_n(image.at(y, x), image.channels, result.at(y, image.width - 1 - x));
    }
  }
  return result;
}

template <class T>
Raster<T> flip_up_down(const Raster<T>& image) {
  Raster<T> result(image.height, image.width, image.channels);
  for (int64_t y = 0; y < image.height; ++y) {
    std::copy_n(image.at(y, 0), image.width * image.channels, result.at(image.height - 1 - y, 0));
  }
  return result;
}

template <class T>
Raster<T> transpose(const Raster<T>& image) {
  Raster<T> result(image.width, image.height, image.channels);
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) std::copy_n(image.at(y, x), image.channels, result.at(x, y));
  }
  return result;
}

template <class T>
Raster<T> window(const Raster<T>& image, int64_t top, int64_t left, int64_t height, int64_t width, T fill) {
  SUANLI_ASSERT(height >= 1 && width >= 1);
  Raster<T> result(height, width, image.channels, fill);
  const int64_t first_row = std::max<int64_t>(0, -top), rows_end = std::min(height, image.height - top);
  const int64_t first = std::max<int64_t>(0, -left), end = std::min(width, image.width - left);
  if (first >= end) return result;
  for (int64_t y = first_row; y < rows_end; ++y) {
    std::copy_n(image.at(top + y, left + first), (end - first) * image.channels, result.at(y, first));
  }
  return result;
}

template Image flip_left_right(const Image&);
template Mask flip_left_right(const Mask&);
template Image flip_up_down(const Image&);
template Mask flip_up_down(const Mask&);
template Image transpose(const Image&);
template Mask transpose(const Mask&);
template Image window(const Image&, int64_t, int64_t, int64_t, int64_t, uint8_t);
template Mask window(const Mask&, int64_t, int64_t, int64_t, int64_t, uint16_t);

Image center_crop(const Image& image, int64_t height, int64_t width) {
  const auto half_down = [](int64_t margin) { return margin >= 0 ? margin / 2 : -((1 - margin) / 2); };
  return window(image, half_down(image.height - height), half_down(image.width - width), height, width);
}

LetterboxPlace letterbox_place(int64_t height, int64_t width, int64_t box_height, int64_t box_width) {
  const double scale = std::min(static_cast<double>(box_height) / static_cast<double>(height),
                                static_cast<double>(box_width) / static_cast<double>(width));
  const auto scaled = [&](int64_t length) {
    return std::max<int64_t>(1, std::llrint(static_cast<double>(length) * scale));
  };
  LetterboxPlace place{scaled(height), scaled(width)};
  place.top = (box_height - place.height) / 2;  // an odd pixel goes below and to the right
  place.left = (box_width - place.width) / 2;
  return place;
}

Image letterbox(const Image& image, int64_t box_height, int64_t box_width, uint8_t fill) {
  const LetterboxPlace place = letterbox_place(image.height, image.width, box_height, box_width);
  const Image scaled = resize(image, place.height, place.width, Resample::bilinear);
  return window(scaled, -place.top, -place.left, box_height, box_width, fill);
}

}  // namespace suanli
