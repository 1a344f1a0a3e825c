#include "train/image_options.h"

namespace suanli {
namespace {

constexpr auto kInteger = OptionType::integer;
constexpr auto kReal = OptionType::real;

}  // namespace

std::vector<Option> image_options() {
  return {
      {"image_size", kInteger, "",
       "of pictures: their side as the network gets it; not set: as preprocessor_config.json or config.json says, or "
       "224"},
      {"hsv_h", kReal, "0.015", "of pictures: hue changes by up to this part of the circle"},
      {"hsv_s", kReal, "0.7", "of pictures: saturation changes by up to this share"},
      {"hsv_v", kReal, "0.4", "of pictures: brightness changes by up to this share"},
      {"scale", kReal, "0.5", "of pictures: a random part of at least 1 - scale of the area is taken"},
      {"crop_padding", kInteger, "0",
       "of pictures: above 0 a part is cropped from the picture padded so, in place of scale"},
      {"flipud", kReal, "0", "of pictures: probability of turning upside down"},
      {"fliplr", kReal, "0.5", "of pictures: probability of mirroring"},
      {"erasing", kReal, "0.4", "of pictures: probability that a rectangle is blackened"},
      {"brightness", kReal, "0", "of pictures: factors from 1 - x to 1 + x"},
      {"contrast", kReal, "0", "of pictures: factors from 1 - x to 1 + x"},
      {"saturation", kReal, "0", "of pictures: factors from 1 - x to 1 + x"},
  };
}

}  // namespace suanli
