#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "image/augment.h"
#include "image/augment_parts.h"
#include "image/geometry.h"
#include "image/resize.h"

namespace suanli {
namespace {

constexpr int kTries = 10;

int64_t below_or_at(int64_t most, RandomGenerator& random) {
  return static_cast<int64_t>(random.below(static_cast<uint64_t>(most) + 1));
}

/// A part of `least` to 1 of the area with sides of 3:4 to 4:3; after ten tries that do not fit the largest middle part
/// with such sides (torchvision's RandomResizedCrop.get_params).
Image random_part(const Image& image, double least, RandomGenerator& random) {
  const double area = static_cast<double>(image.height * image.width), narrow = 3.0 / 4, wide = 4.0 / 3;
  for (int i = 0; i < kTries; ++i) {
    const double part = area * random_between(least, 1, random);
    const double ratio = std::exp(random_between(std::log(narrow), std::log(wide), random));
    const int64_t width = std::llrint(std::sqrt(part * ratio)), height = std::llrint(std::sqrt(part / ratio));
    if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
    const int64_t top = below_or_at(image.height - height, random), left = below_or_at(image.width - width, random);
    return window(image, top, left, height, width);
  }
  const double ratio = static_cast<double>(image.width) / static_cast<double>(image.height);
  const double sides = std::clamp(ratio, narrow, wide);
  const auto length = [](double x) { return std::max<int64_t>(1, std::llrint(x)); };
  return ratio < sides ? center_crop(image, length(static_cast<double>(image.width) / sides), image.width)
                       : center_crop(image, image.height, length(static_cast<double>(image.height) * sides));
}

/// Blackens 2 to 33 % of the area, sides of 0.3 to 3.3, where such a rectangle fits (torchvision's RandomErasing).
void erase(Image* image, RandomGenerator& random) {
  const double area = static_cast<double>(image->height * image->width);
  for (int i = 0; i < kTries; ++i) {
    const double part = area * random_between(0.02, 0.33, random);
    const double ratio = std::exp(random_between(std::log(0.3), std::log(3.3), random));
    const int64_t height = std::llrint(std::sqrt(part * ratio)), width = std::llrint(std::sqrt(part / ratio));
    if (height < 1 || width < 1 || height >= image->height || width >= image->width) continue;
    const int64_t top = below_or_at(image->height - height, random), left = below_or_at(image->width - width, random);
    for (int64_t y = top; y < top + height; ++y) {
      std::fill_n(image->at(y, left), width * image->channels, uint8_t{0});
    }
    return;
  }
}

}  // namespace

Image augment_classified(const Image& image, int64_t height, int64_t width, const AugmentOptions& options,
                         RandomGenerator& random) {
  Image result;
  if (options.crop_padding > 0) {
    const int64_t padding = options.crop_padding;
    const int64_t top = below_or_at(2 * padding, random), left = below_or_at(2 * padding, random);
    result = window(resize(image, height, width, Resample::bilinear), top - padding, left - padding, height, width);
  } else {
    result = resize(random_part(image, 1 - options.scale, random), height, width, Resample::bilinear);
  }
  if (random_event(options.fliplr, random)) result = flip_left_right(result);
  if (random_event(options.flipud, random)) result = flip_up_down(result);
  random_colors(&result, options, random);
  if (random_event(options.erasing, random)) erase(&result, random);
  return result;
}

LabelMix draw_mix(int64_t count, const AugmentOptions& options, RandomGenerator& random) {
  const auto partner = static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
  const bool cut = random_event(options.cutmix, random), mixed = random_event(options.mixup, random);
  if (!cut && !mixed) return {};
  return {partner, cut, random_beta(cut ? options.cutmix_alpha : options.mixup_alpha, random)};
}

void apply_mix(Image* image, const Image& other, LabelMix* mix, RandomGenerator& random) {
  if (!mix->cut) {
    mix_pixels(image, other, mix->share);
    return;
  }
  SUANLI_ASSERT(image->height == other.height && image->width == other.width && image->channels == other.channels);
  const double side = std::sqrt(1 - mix->share) / 2;  // half of it, of 1
  const double y = random.next_uniform(), x = random.next_uniform();
  const auto range = [&](double center, int64_t length) {
    const double whole = static_cast<double>(length);
    const auto at = [&](double position) { return std::llrint(std::clamp(position, 0.0, 1.0) * whole); };
    return std::pair<int64_t, int64_t>{at(center - side), at(center + side)};
  };
  const auto [top, bottom] = range(y, image->height);
  const auto [left, right] = range(x, image->width);
  for (int64_t row = top; row < bottom; ++row) {
    std::copy_n(other.at(row, left), (right - left) * image->channels, image->at(row, left));
  }
  mix->share =
      1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(image->height * image->width);
}

}  // namespace suanli
