/// Any bytes as a JPEG or PNG file: UserError, or a picture and a label map of the size that the header says. The
/// pixels are limited so that an honest large header does not stand in the way.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "image/decode.h"
#include "image/resize.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  suanli::DecodeOptions options;
  constexpr suanli::Channels kChannels[] = {suanli::Channels::stored, suanli::Channels::grey, suanli::Channels::rgb,
                                            suanli::Channels::rgba};
  options.channels = kChannels[data[0] % 4];
  options.allow_truncated = data[0] / 4 % 2 == 0;
  options.max_pixels = 1 << 20;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  try {
    const suanli::ImageSize header = suanli::image_size(bytes, options, "input");
    const suanli::Image image = suanli::decode_image(bytes, options, "input");
    if (image.height != header.height || image.width != header.width) __builtin_trap();
    if (static_cast<int64_t>(image.values.size()) != image.height * image.width * image.channels) __builtin_trap();
    if (suanli::resize(image, 7, 5, suanli::Resample::bicubic).values.empty()) __builtin_trap();
  } catch (const suanli::UserError&) {
  }
  try {
    if (suanli::decode_mask(bytes, options, "input").channels != 1) __builtin_trap();
  } catch (const suanli::UserError&) {
  }
  return 0;
}
