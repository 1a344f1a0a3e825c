#include "train/image_options.h"

#include "train/option_types.h"

namespace suanli {

std::vector<Option> image_options() {
  return {
      {"image_size", kInteger, "",
       "of pictures: their side as the network gets it; not set: as preprocessor_config.json or config.json says, or "
       "224; of super-resolution: side of the small crops of training; not set: 48"},
      {"hsv_h", kReal, "0.015", "of pictures: hue changes by up to this part of the circle"},
      {"hsv_s", kReal, "0.7", "of pictures: saturation changes by up to this share"},
      {"hsv_v", kReal, "0.4", "of pictures: brightness changes by up to this share"},
      {"degrees", kReal, "0", "of pictures with masks or boxes: rotation by up to so much"},
      {"translate", kReal, "0.1", "of pictures with masks or boxes: shift by up to this part of each side"},
      {"scale", kReal, "0.5",
       "of pictures: a random part of at least 1 - scale of the area is taken; with masks, boxes or key points: a size "
       "of 1 - scale to 1 + scale; super-resolution: crops of the picture shrunk to 1 - scale to 1 of its sides"},
      {"shear", kReal, "0", "of pictures with masks or boxes: shear by up to so many degrees"},
      {"mosaic", kReal, "1", "of pictures with masks or boxes: probability that four pictures become one"},
      {"instance_masks", OptionType::boolean, "false",
       "of pictures with masks: numbers above 0 are those of things, all of class 1"},
      {"feature_model", kPath, "",
       "of generated pictures: folder of a classifier by whose features they are compared with real ones "
       "(frechet_distance)"},
      {"crop_padding", kInteger, "0",
       "of pictures: above 0 a part is cropped from the picture padded so, in place of scale"},
      {"flipud", kReal, "0", "of pictures: probability of turning upside down"},
      {"fliplr", kReal, "0.5", "of pictures: probability of mirroring"},
      {"erasing", kReal, "0.4", "of pictures: probability that a rectangle is blackened"},
      {"mixup", kReal, "0", "of pictures of classes: probability that a picture is mixed with another, and its class"},
      {"mixup_alpha", kReal, "0.2", "its share is drawn from Beta(alpha, alpha)"},
      {"cutmix", kReal, "0",
       "of pictures of classes: probability that a rectangle is taken from another, and its class"},
      {"cutmix_alpha", kReal, "1", "its area is drawn from Beta(alpha, alpha)"},
      {"brightness", kReal, "0", "of pictures: factors from 1 - x to 1 + x"},
      {"contrast", kReal, "0", "of pictures: factors from 1 - x to 1 + x"},
      {"saturation", kReal, "0", "of pictures: factors from 1 - x to 1 + x"},
  };
}

}  // namespace suanli
