#include "image/png.h"

#include <spng.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "image/codecs.h"

namespace suanli {
namespace {

using PngContext = std::unique_ptr<spng_ctx, void (*)(spng_ctx*)>;

class PngDecoder {
 public:
  PngDecoder(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where)
      : options_(options), where_(where), compressed_(bytes.size()), context_(spng_ctx_new(0), spng_ctx_free) {
    constexpr size_t kChunk = size_t{64} << 20;
    spng_set_png_buffer(context_.get(), bytes.data(), bytes.size());
    spng_set_chunk_limits(context_.get(), kChunk, kChunk);
    if (const int error = spng_get_ihdr(context_.get(), &header_)) {
      throw UserError(where_, concat("expected a whole PNG header, got: ", spng_strerror(error)));
    }
    check_image_size(header_.height, header_.width, options_, where_);
  }

  const spng_ihdr& header() const { return header_; }

  int orientation() {
    spng_exif exif = {};
    if (!options_.exif_transpose || spng_get_exif(context_.get(), &exif) != 0) return 1;
    return exif_orientation(std::as_bytes(std::span(exif.data, exif.length)));
  }

  bool has_transparency() {
    spng_trns transparent = {};
    return spng_get_trns(context_.get(), &transparent) == 0;
  }

  /// Fills the rows that `rows` points at, `row_bytes` each, in `format`.
  void decode(uint8_t* rows, size_t row_bytes, int format, int flags) {
    int error = spng_decode_image(context_.get(), nullptr, 0, format, flags | SPNG_DECODE_PROGRESSIVE);
    while (error == 0) {
      spng_row_info row = {};
      error = spng_get_row_info(context_.get(), &row);
      if (error == 0) error = spng_decode_row(context_.get(), rows + row.row_num * row_bytes, row_bytes);
    }
    if (error == SPNG_EOI || options_.allow_truncated) return;
    throw UserError(where_, concat("expected a whole PNG, got: ", spng_strerror(error), "; is the file complete?"));
  }

  /// DEFLATE packs at most 1,032 bytes into one: a header that promises more lies. Before memory is taken.
  void check_compression(size_t row_bits) const {
    constexpr uint64_t kMost = 1032;
    const uint64_t raw = (row_bits / 8) * header_.height;
    if (raw / kMost > compressed_ && !options_.allow_truncated) {
      throw UserError(where_, concat("expected the ", header_.width, " x ", header_.height, " pixels of the header, ",
                                     compressed_, " bytes cannot hold them; is the file complete?"));
    }
  }

 private:
  const DecodeOptions& options_;
  std::string_view where_;
  size_t compressed_;
  PngContext context_;
  spng_ihdr header_ = {};
};

int png_channels(const spng_ihdr& header) {
  constexpr int kChannels[] = {1, 0, 3, 1, 2, 0, 4};
  return kChannels[header.color_type];
}

template <class T>
std::string encode(const Raster<T>& image) {
  constexpr uint8_t kColorType[] = {SPNG_COLOR_TYPE_GRAYSCALE, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA,
                                    SPNG_COLOR_TYPE_TRUECOLOR, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
  const PngContext context(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free);
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header = {};
  header.height = static_cast<uint32_t>(image.height);
  header.width = static_cast<uint32_t>(image.width);
  header.bit_depth = 8 * sizeof(T);
  header.color_type = kColorType[image.channels - 1];
  spng_set_ihdr(context.get(), &header);
  int error = spng_encode_image(context.get(), image.values.data(), image.values.size() * sizeof(T), SPNG_FMT_PNG,
                                SPNG_ENCODE_FINALIZE);
  size_t size = 0;
  const std::unique_ptr<void, void (*)(void*)> bytes(
      error == 0 ? spng_get_png_buffer(context.get(), &size, &error) : nullptr, std::free);
  if (!bytes) throw EnvironmentError("png", concat("cannot encode the picture: ", spng_strerror(error)));
  return std::string(static_cast<const char*>(bytes.get()), size);
}

}  // namespace

Image decode_png(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  PngDecoder decoder(bytes, options, where);
  const spng_ihdr& header = decoder.header();
  decoder.check_compression(static_cast<size_t>(header.width) * png_channels(header) * header.bit_depth);
  const int orientation = decoder.orientation();  // asked before damaged pixels leave nothing to ask
  const bool alpha = options.channels == Channels::stored || options.channels == Channels::rgba;
  const bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE && header.bit_depth <= 8 && !alpha;
  Image image;
  if (grey) {
    image = Image(header.height, header.width, 1);
    decoder.decode(image.values.data(), static_cast<size_t>(header.width), SPNG_FMT_G8, 0);
  } else if (header.bit_depth == 16) {  // the upper byte of each sample, as PIL; the library would round
    Raster<uint16_t> wide(header.height, header.width, 4);
    decoder.decode(reinterpret_cast<uint8_t*>(wide.values.data()), static_cast<size_t>(header.width) * 8,
                   SPNG_FMT_RGBA16, alpha ? SPNG_DECODE_TRNS : 0);
    image = Image(header.height, header.width, 4);
    std::transform(wide.values.begin(), wide.values.end(), image.values.begin(),
                   [](uint16_t value) { return static_cast<uint8_t>(value >> 8); });
  } else {
    image = Image(header.height, header.width, alpha ? 4 : 3);
    decoder.decode(image.values.data(), static_cast<size_t>(header.width * image.channels),
                   alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8, alpha ? SPNG_DECODE_TRNS : 0);
  }
  if (options.channels == Channels::stored) {
    const bool in_color = (header.color_type & SPNG_COLOR_TYPE_TRUECOLOR) != 0;
    const bool has_alpha = (header.color_type & SPNG_COLOR_TYPE_GRAYSCALE_ALPHA) != 0 || decoder.has_transparency();
    image = with_channels(std::move(image), (in_color ? 3 : 1) + (has_alpha ? 1 : 0));
  }
  return upright(std::move(image), orientation);
}

Mask decode_png_labels(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  PngDecoder decoder(bytes, options, where);
  const spng_ihdr& header = decoder.header();
  if (header.color_type != SPNG_COLOR_TYPE_GRAYSCALE && header.color_type != SPNG_COLOR_TYPE_INDEXED) {
    throw UserError(where, "expected a mask: a PNG in grey or with a palette; got a picture in colour");
  }
  decoder.check_compression(static_cast<size_t>(header.width) * header.bit_depth);
  const int orientation = decoder.orientation();
  const size_t row_bytes = (static_cast<size_t>(header.width) * header.bit_depth + 7) / 8;
  std::vector<uint8_t> rows(row_bytes * header.height);
  decoder.decode(rows.data(), row_bytes, SPNG_FMT_RAW, 0);
  Mask mask(header.height, header.width, 1);
  const size_t bits = header.bit_depth;
  for (int64_t y = 0; y < mask.height; ++y) {
    const uint8_t* row = rows.data() + static_cast<size_t>(y) * row_bytes;
    for (int64_t x = 0; x < mask.width; ++x) {
      const size_t bit = static_cast<size_t>(x) * bits;
      const uint8_t* at = row + bit / 8;
      *mask.at(y, x) = bits == 16 ? static_cast<uint16_t>(at[0] << 8 | at[1])
                                  : static_cast<uint16_t>(at[0] >> (8 - bits - bit % 8) & ((1u << bits) - 1));
    }
  }
  return upright(std::move(mask), orientation);
}

ImageSize png_size(std::span<const std::byte> bytes, const DecodeOptions& options, std::string_view where) {
  PngDecoder decoder(bytes, options, where);
  const int64_t height = decoder.header().height, width = decoder.header().width;
  return decoder.orientation() >= 5 ? ImageSize{width, height} : ImageSize{height, width};
}

std::string encode_png(const Image& image) { return encode(image); }
std::string encode_png(const Mask& mask) { return encode(mask); }

void write_png(const std::filesystem::path& file, const Image& image) {
  write_file_atomically(file, encode_png(image));
}

Image image_grid(std::span<const Image> images, int64_t columns, int64_t gap) {
  SUANLI_ASSERT(!images.empty() && columns >= 1 && gap >= 0);
  const Image& first = images.front();
  const int64_t count = static_cast<int64_t>(images.size()), rows = (count + columns - 1) / columns;
  Image grid(rows * (first.height + gap) - gap, std::min(columns, count) * (first.width + gap) - gap, first.channels,
             255);
  for (int64_t i = 0; i < count; ++i) {
    const Image& image = images[static_cast<size_t>(i)];
    SUANLI_ASSERT(image.height == first.height && image.width == first.width && image.channels == first.channels);
    const int64_t top = i / columns * (first.height + gap), left = i % columns * (first.width + gap);
    for (int64_t y = 0; y < image.height; ++y) {
      std::copy_n(image.at(y, 0), image.width * image.channels, grid.at(top + y, left));
    }
  }
  return grid;
}

}  // namespace suanli
