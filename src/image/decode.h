/// JPEG and PNG files to pictures and label maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "image/image.h"

namespace suanli {

/// The channels that a picture is brought to; `stored`: those of the file (a palette as RGB, or RGBA if it has alpha).
enum class Channels { stored = 0, grey = 1, rgb = 3, rgba = 4 };

struct DecodeOptions {
  Channels channels = Channels::rgb;
  bool exif_transpose = true;       ///< turn the picture as its EXIF orientation says (PIL.ImageOps.exif_transpose)
  bool allow_truncated = false;     ///< give what could be decoded, the rest 0 (PIL's LOAD_TRUNCATED_IMAGES)
  int64_t max_pixels = 89'478'485;  ///< height x width; a header beyond is refused (PIL.Image.MAX_IMAGE_PIXELS)
};

/// A picture from the bytes of a JPEG or PNG file, u8 [H, W, C], equal to what PIL decodes. PNGs of 1, 2 and 4 bits are
/// scaled to 0..255, of 16 bits keep their upper 8; CMYK JPEGs become RGB. `where` names the source in messages.
/// Throws UserError for other formats, damaged or truncated data, and more than max_pixels, before memory is taken.
Image decode_image(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);

/// The same from a file.
Image read_image(const std::filesystem::path& file, const DecodeOptions& options = {});

/// The numbers of a grey or palette PNG of 1 to 16 bits as they are stored: a label map, u16 [H, W, 1].
/// Throws like decode_image, and for pictures in colour.
Mask decode_mask(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);
Mask read_mask(const std::filesystem::path& file, const DecodeOptions& options = {});

/// What the header of a file says, without decoding it; turned as decode_image turns the picture.
struct ImageSize {
  int64_t height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};
ImageSize image_size(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where);
ImageSize read_image_size(const std::filesystem::path& file, const DecodeOptions& options = {});

}  // namespace suanli
