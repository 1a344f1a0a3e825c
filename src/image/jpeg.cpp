#include <turbojpeg.h>

#include <memory>
#include <string>

#include "base/concat.h"
#include "base/error.h"
#include "image/codecs.h"

namespace suanli {
namespace {

struct JpegHeader {
  int height = 0, width = 0, subsampling = 0, color_space = 0;
};

class JpegDecoder {
 public:
  JpegDecoder(std::span<const std::byte> bytes, std::string_view where)
      : bytes_(bytes), where_(where), handle_(tjInitDecompress(), tjDestroy) {
    if (!handle_) throw EnvironmentError(where, "the JPEG decoder finds no memory");
  }

  JpegHeader header(const DecodeOptions& options) {
    JpegHeader header;
    const int failed = tjDecompressHeader3(handle_.get(), data(), bytes_.size(), &header.width, &header.height,
                                           &header.subsampling, &header.color_space);
    if (header.width < 1 || (failed != 0 && tjGetErrorCode(handle_.get()) == TJERR_FATAL)) {
      throw UserError(where_, concat("expected a whole JPEG header, got: ",
                                     failed != 0 ? tjGetErrorStr2(handle_.get()) : "none with a size"));
    }
    check_image_size(header.height, header.width, options, where_);
    return header;
  }

  Image decode(const JpegHeader& header, int format, const DecodeOptions& options) {
    Image image(header.height, header.width, tjPixelSize[format]);
    const int failed = tjDecompress2(handle_.get(), data(), bytes_.size(), image.values.data(), header.width, 0,
                                     header.height, format, TJFLAG_LIMITSCANS);
    if (failed == 0 || options.allow_truncated) return image;
    const std::string message = tjGetErrorStr2(handle_.get());
    // Warnings other than an early end leave a whole picture, as PIL takes it ("extraneous bytes before marker").
    const bool cut = message.find("remature end") != std::string::npos;
    if (tjGetErrorCode(handle_.get()) == TJERR_FATAL || cut) {
      throw UserError(where_, concat("expected a whole JPEG, got: ", message, "; is the file complete?"));
    }
    return image;
  }

 private:
  const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(bytes_.data()); }
  std::span<const std::byte> bytes_;
  std::string_view where_;
  std::unique_ptr<void, int (*)(tjhandle)> handle_;
};

/// Inks to light, as PIL: JPEG holds inverted inks, and light is what neither colour nor black keeps back.
Image rgb_from_inverted_cmyk(const Image& cmyk) {
  Image rgb(cmyk.height, cmyk.width, 3);
  for (int64_t i = 0; i < cmyk.height * cmyk.width; ++i) {
    const uint8_t* from = cmyk.values.data() + 4 * i;
    uint8_t* to = rgb.values.data() + 3 * i;
    const uint32_t light = from[3];
    for (int c = 0; c < 3; ++c) {
      const uint32_t product = (255u - from[c]) * light + 128;  // / 255, rounded
      to[c] = static_cast<uint8_t>(light - ((product + (product >> 8)) >> 8));
    }
  }
  return rgb;
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  JpegDecoder decoder(bytes, where);
  const JpegHeader header = decoder.header(options);
  Image image;
  if (header.color_space == TJCS_CMYK || header.color_space == TJCS_YCCK) {
    image = rgb_from_inverted_cmyk(decoder.decode(header, TJPF_CMYK, options));
  } else {
    image = decoder.decode(header, header.color_space == TJCS_GRAY ? TJPF_GRAY : TJPF_RGB, options);
  }
  return options.exif_transpose ? upright(std::move(image), jpeg_orientation(bytes)) : image;
}

ImageSize jpeg_size(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  const JpegHeader header = JpegDecoder(bytes, where).header(options);
  if (options.exif_transpose && jpeg_orientation(bytes) >= 5) return {header.width, header.height};
  return {header.height, header.width};
}

}  // namespace suanli
