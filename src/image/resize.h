/// Pictures to another size, to the bytes that PIL.Image.resize gives.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace suanli {

/// The filters, with PIL's numbers (PIL.Image.Resampling; "resample" in preprocessor_config.json).
enum class Resample { nearest = 0, lanczos = 1, bilinear = 2, bicubic = 3, box = 4, hamming = 5 };

/// `image` with `height` x `width` pixels. Each output pixel is a weighted mean of the input pixels around its centre;
/// when a side shrinks the filter widens with it, so that every input pixel counts (antialias). First along x, then
/// along y, each rounded to eight bits; weights in 22-bit fixed point. Colour is weighted with its alpha. `nearest`
/// takes one pixel. Equal to the bytes of Pillow 11.3 (13 goes along y first for some sizes: one step of rounding).
Image resize(const Image& image, int64_t height, int64_t width, Resample filter);

/// A label map: nearest, for numbers of classes have no mean.
Mask resize(const Mask& mask, int64_t height, int64_t width);

}  // namespace suanli
