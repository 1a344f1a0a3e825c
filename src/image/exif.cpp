#include <cstring>

#include "image/codecs.h"
#include "image/geometry.h"

namespace suanli {
namespace {

/// Numbers of a TIFF block in the byte order that it begins with; 0 beyond its end.
class TiffReader {
 public:
  explicit TiffReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool valid() {
    if (bytes_.size() < 8) return false;
    little_ = bytes_[0] == std::byte{'I'};
    return bytes_[0] == bytes_[1] && (little_ || bytes_[0] == std::byte{'M'}) && number(2, 2) == 42;
  }
  uint32_t number(uint64_t at, int size) const {
    if (at + static_cast<uint64_t>(size) > bytes_.size()) return 0;
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const auto byte = std::to_integer<uint32_t>(bytes_[at + static_cast<uint64_t>(little_ ? size - 1 - i : i)]);
      value = value << 8 | byte;
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool little_ = false;
};

}  // namespace

int exif_orientation(std::span<const std::byte> tiff) {
  constexpr uint32_t kOrientation = 0x0112, kShort = 3;
  TiffReader reader(tiff);
  if (!reader.valid()) return 1;
  const uint64_t directory = reader.number(4, 4);
  const uint32_t entries = reader.number(directory, 2);
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + 12 * i;  // tag, type, count, value
    if (reader.number(entry, 2) != kOrientation || reader.number(entry + 2, 2) != kShort) continue;
    const uint32_t value = reader.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

int jpeg_orientation(std::span<const std::byte> jpeg) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  const auto byte = [&](size_t at) { return std::to_integer<uint32_t>(jpeg[at]); };
  size_t at = 2;  // after SOI; then segments: 0xFF, marker, length of what follows (with itself)
  while (at + 4 <= jpeg.size() && byte(at) == 0xFF) {
    const uint32_t marker = byte(at + 1);
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;  // start of scan, end of image
    const size_t length = byte(at + 2) << 8 | byte(at + 3);
    if (length < 2 || at + 2 + length > jpeg.size()) break;
    const auto content = jpeg.subspan(at + 4, length - 2);
    if (marker == 0xE1 && content.size() >= kExif.size() &&
        std::memcmp(content.data(), kExif.data(), kExif.size()) == 0) {
      return exif_orientation(content.subspan(kExif.size()));
    }
    at += 2 + length;
  }
  return 1;
}

template <class T>
Raster<T> upright(Raster<T> image, int orientation) {
  if (orientation >= 5) image = transpose(image);
  if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7) image = flip_left_right(image);
  if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8) image = flip_up_down(image);
  return image;
}
template Image upright(Image, int);
template Mask upright(Mask, int);

}  // namespace suanli
