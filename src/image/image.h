/// Pictures and label maps in memory: numbers row by row, as decoders give and transforms take them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace suanli {

/// [H, W, C] dense numbers. Pixel (y, x) covers the square from (x, y) to (x + 1, y + 1): coordinates of boxes and
/// points lie on this plane, its origin the upper left corner of the picture.
template <class T>
struct Raster {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<T> values;

  Raster() = default;
  Raster(int64_t rows, int64_t columns, int64_t depth, T value = T{})
      : height(rows),
        width(columns),
        channels(depth),
        values(static_cast<size_t>(rows) * static_cast<size_t>(columns) * static_cast<size_t>(depth), value) {}

  T* at(int64_t y, int64_t x) { return values.data() + (y * width + x) * channels; }
  const T* at(int64_t y, int64_t x) const { return values.data() + (y * width + x) * channels; }
  bool empty() const { return values.empty(); }
  bool operator==(const Raster&) const = default;
};

/// Eight bits a channel; C is 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).
using Image = Raster<uint8_t>;

/// The class or instance number of each pixel; C is 1.
using Mask = Raster<uint16_t>;

/// `image` with 1, 2, 3 or 4 channels, as PIL's convert("L" | "LA" | "RGB" | "RGBA") does it: grey is
/// 0.299 R + 0.587 G + 0.114 B (ITU-R 601-2) in 16-bit fixed point, rounded; a new alpha is 255, an old one is dropped.
Image with_channels(Image image, int64_t channels);

/// The same grey of one pixel.
inline uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

/// Mean and standard deviation of the picture's grey, from 0 to 1.
struct ImageStatistics {
  double brightness = 0, contrast = 0;
};
ImageStatistics statistics_of(const Image& image);

}  // namespace suanli
