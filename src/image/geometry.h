/// Moves of whole pixels: flips, windows, letterboxes; for pictures and masks alike.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace suanli {

/// Column x becomes column W - 1 - x; row y becomes row H - 1 - y; pixel (y, x) becomes pixel (x, y).
template <class T>
Raster<T> flip_left_right(const Raster<T>& image);
template <class T>
Raster<T> flip_up_down(const Raster<T>& image);
template <class T>
Raster<T> transpose(const Raster<T>& image);

/// The `height` x `width` pixels whose first is (top, left), which may lie outside: pixels that `image` lacks are
/// `fill`. A crop, a pad, or both.
template <class T>
Raster<T> window(const Raster<T>& image, int64_t top, int64_t left, int64_t height, int64_t width, T fill = T{});

/// The middle `height` x `width` pixels, with 0 around an image that is smaller; where the margins are not even, the
/// window lies half a pixel up and left (Hugging Face's center_crop).
Image center_crop(const Image& image, int64_t height, int64_t width);

/// Where a letterbox puts a picture: pixel (y, x) of it comes to (scale_y y + top, scale_x x + left).
struct LetterboxPlace {
  int64_t height = 0, width = 0, top = 0, left = 0;  ///< of the picture within the box
};

/// The place of a `height` x `width` picture that is scaled to just fit into a box, in its middle (Ultralytics'
/// LetterBox with auto=False; its rounding).
LetterboxPlace letterbox_place(int64_t height, int64_t width, int64_t box_height, int64_t box_width);

/// The scaled picture (bilinear with antialias) in a box of `fill`.
Image letterbox(const Image& image, int64_t box_height, int64_t box_width, uint8_t fill = 114);

}  // namespace suanli
