/// The two formats behind decode.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "image/decode.h"

namespace suanli {

/// As decode_image, of one format.
Image decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);
Image decode_png(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);
Mask decode_png_labels(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);

/// As image_size, of one format.
ImageSize jpeg_size(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);
ImageSize png_size(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);

/// Throws UserError where a header asks for no pixels or for more than max_pixels.
void check_image_size(int64_t height, int64_t width, const DecodeOptions& options, std::string_view where);

/// The EXIF orientation, 1 to 8, in a TIFF block (the bytes after "Exif\0\0"); 1 where there is none or it is damaged.
int exif_orientation(std::span<const std::byte> tiff);

/// The same in the first EXIF segment of a JPEG.
int jpeg_orientation(std::span<const std::byte> jpeg);

/// `image` turned upright: orientation o of EXIF 2.3 says where row 0 and column 0 lie.
template <class T>
Raster<T> upright(Raster<T> image, int orientation);

}  // namespace suanli
