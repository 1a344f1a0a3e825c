#include "image/decode.h"

#include <cstring>
#include <string>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "image/codecs.h"

namespace suanli {
namespace {

enum class ImageFormat { jpeg, png };

ImageFormat image_format(std::span<const std::byte> bytes, std::string_view where) {
  const auto begins_with = [&](std::string_view magic) {
    return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
  };
  if (begins_with("\xFF\xD8\xFF")) return ImageFormat::jpeg;
  if (begins_with("\x89PNG\r\n\x1A\n")) return ImageFormat::png;
  throw UserError(where, bytes.empty() ? "expected a JPEG or PNG picture, got an empty file"
                                       : "expected a JPEG or PNG picture, got other content; convert it first");
}

}  // namespace

void check_image_size(int64_t height, int64_t width, const DecodeOptions& options, std::string_view where) {
  if (height < 1 || width < 1) {
    throw UserError(where, concat("expected a picture with pixels, got ", width, " x ", height));
  }
  if (height > options.max_pixels / width) {
    throw UserError(where, concat("expected at most ", options.max_pixels, " pixels, the header says ", width, " x ",
                                  height, "; scale the picture down first"));
  }
}

Image decode_image(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  Image image = image_format(bytes, where) == ImageFormat::jpeg ? decode_jpeg(bytes, options, where)
                                                                : decode_png(bytes, options, where);
  if (options.channels == Channels::stored) return image;
  return with_channels(std::move(image), static_cast<int64_t>(options.channels));
}

Image read_image(const std::filesystem::path& file, const DecodeOptions& options) {
  const MappedFile mapped(file);
  return decode_image(mapped.bytes(), options, file.string());
}

Mask decode_mask(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  if (image_format(bytes, where) == ImageFormat::jpeg) {
    throw UserError(where, "expected a PNG, got a JPEG: its compression changes the numbers of a mask");
  }
  return decode_png_labels(bytes, options, where);
}

Mask read_mask(const std::filesystem::path& file, const DecodeOptions& options) {
  const MappedFile mapped(file);
  return decode_mask(mapped.bytes(), options, file.string());
}

ImageSize image_size(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  return image_format(bytes, where) == ImageFormat::jpeg ? jpeg_size(bytes, options, where)
                                                         : png_size(bytes, options, where);
}

ImageSize read_image_size(const std::filesystem::path& file, const DecodeOptions& options) {
  const MappedFile mapped(file);
  return image_size(mapped.bytes(), options, file.string());
}

}  // namespace suanli
