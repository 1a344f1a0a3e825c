#include "image/augment.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "image/augment_parts.h"
#include "image/color.h"

namespace suanli {
namespace {

constexpr uint32_t kAugmentSite = 0xDA7A0021;
constexpr int kDrawBits = 20;  // draws of one example

/// A number of the gamma distribution with scale 1 (Marsaglia and Tsang 2000).
double gamma(double shape, RandomGenerator& random) {
  if (shape < 1) {
    const double u = 1 - static_cast<double>(random.next_uniform());  // not 0
    return gamma(shape + 1, random) * std::pow(u, 1 / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.next_normal(), v = std::pow(1 + c * x, 3);
    const double u = 1 - static_cast<double>(random.next_uniform());
    if (v > 0 && std::log(u) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace

double random_between(double low, double high, RandomGenerator& random) {
  return low + (high - low) * static_cast<double>(random.next_uniform());
}

bool random_event(double probability, RandomGenerator& random) {
  return static_cast<double>(random.next_uniform()) < probability;
}

double random_beta(double alpha, RandomGenerator& random) {
  const double a = gamma(alpha, random), b = gamma(alpha, random);
  return a + b > 0 ? a / (a + b) : 0.5;
}

void mix_pixels(Image* image, const Image& other, double share) {
  SUANLI_ASSERT(image->height == other.height && image->width == other.width && image->channels == other.channels);
  const float own = static_cast<float>(share), others = 1 - own;
  for (size_t i = 0; i < image->values.size(); ++i) {
    const float mixed = own * static_cast<float>(image->values[i]) + others * static_cast<float>(other.values[i]);
    image->values[i] = static_cast<uint8_t>(mixed + 0.5f);
  }
}

void random_colors(Image* image, const AugmentOptions& options, RandomGenerator& random) {
  const auto factor = [&](double gain) {
    return static_cast<float>(random_between(std::max(0.0, 1 - gain), 1 + gain, random));
  };
  const float brightness = factor(options.brightness), contrast = factor(options.contrast);
  const float saturation = factor(options.saturation);
  if (options.brightness > 0) adjust_brightness(image, brightness);
  if (options.contrast > 0) adjust_contrast(image, contrast);
  if (options.saturation > 0) adjust_saturation(image, saturation);
  const auto hue = static_cast<float>(random_between(-options.hsv_h, options.hsv_h, random));
  const float s = factor(options.hsv_s), v = factor(options.hsv_v);
  if (options.hsv_h > 0 || options.hsv_s > 0 || options.hsv_v > 0) adjust_hsv(image, hue, s, v);
}

void check(const AugmentOptions& o) {
  const auto within = [](const char* name, double value, double most) {
    if (!(value >= 0 && value <= most)) {
      throw UserError(name, concat("expected a number from 0 to ", most, ", got ", value));
    }
  };
  for (const auto& [name, value] : {std::pair{"flipud", o.flipud},
                                    {"fliplr", o.fliplr},
                                    {"mosaic", o.mosaic},
                                    {"mixup", o.mixup},
                                    {"cutmix", o.cutmix},
                                    {"erasing", o.erasing},
                                    {"hsv_h", o.hsv_h},
                                    {"hsv_s", o.hsv_s},
                                    {"hsv_v", o.hsv_v},
                                    {"translate", o.translate},
                                    {"scale", o.scale},
                                    {"perspective", o.perspective}}) {
    within(name, value, 1);
  }
  within("degrees", o.degrees, 180);
  within("shear", o.shear, 89);
  for (const auto& [name, value] :
       {std::pair{"brightness", o.brightness}, {"contrast", o.contrast}, {"saturation", o.saturation}}) {
    within(name, value, 255);
  }
  within("crop_padding", static_cast<double>(o.crop_padding), 1 << 16);
  constexpr double kLargestAlpha = 1e6;
  for (const auto& [name, value] : {std::pair{"mixup_alpha", o.mixup_alpha}, {"cutmix_alpha", o.cutmix_alpha}}) {
    if (!(value > 0)) throw UserError(name, concat("expected a number above 0, got ", value));
    within(name, value, kLargestAlpha);
  }
}

RandomGenerator augment_random(uint64_t seed, int64_t epoch, int64_t index) {
  return RandomGenerator({seed, static_cast<uint32_t>(epoch), kAugmentSite}, static_cast<uint64_t>(index) << kDrawBits);
}

}  // namespace suanli
