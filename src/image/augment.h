/// Random changes of pictures for training, with boxes, masks and key points moved along.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.h"
#include "image/annotated.h"
#include "image/image.h"

namespace suanli {

/// The hyperparameters of Ultralytics by their names with their defaults; those after them are torchvision's.
/// Each change draws its numbers whether or not its gain is 0, so that one option never shifts the draws of another.
struct AugmentOptions {
  double hsv_h = 0.015, hsv_s = 0.7,
         hsv_v = 0.4;                 ///< largest change: of the hue circle; of saturation, value: 1 +- gain
  double degrees = 0.0;               ///< rotation by up to +- so much
  double translate = 0.1;             ///< shift by up to +- this part of each side
  double scale = 0.5;                 ///< boxes: size times 1 +- scale. Classes: area of the crop at least 1 - scale
  double shear = 0.0;                 ///< along x and along y, by up to +- so many degrees
  double perspective = 0.0;           ///< up to +- so much a pixel: 0 to 0.001
  double flipud = 0.0, fliplr = 0.5;  ///< probabilities
  double mosaic = 1.0;                ///< probability, boxes alone
  double mixup = 0.0, cutmix = 0.0;   ///< probabilities: mixup for boxes and classes, cutmix for classes
  double erasing = 0.4;               ///< probability, classes alone
  double brightness = 0.0, contrast = 0.0, saturation = 0.0;  ///< ColorJitter: factors from 1 - x to 1 + x
  int64_t crop_padding = 0;  ///< above 0: classes crop from the padded picture (RandomCrop), not to a part of it
  double mixup_alpha = 0.2, cutmix_alpha = 1.0;  ///< Beta(alpha, alpha) of the share, classes
  std::vector<int32_t> flip_idx = {};            ///< key points that change places with left and right
};

/// Throws UserError for a probability outside [0, 1], a negative gain or a hue, scale or translation above 1.
void check(const AugmentOptions& options);

/// The numbers of one example: the same in every run, whatever the threads do. `epoch` below 2^32, `index` below 2^44.
RandomGenerator augment_random(uint64_t seed, int64_t epoch, int64_t index);

/// One picture of a class, [H, W, C] -> [height, width, C]: a random part of 1 - scale to 1 of the area with sides of
/// 3:4 to 4:3, resized (RandomResizedCrop), or with crop_padding the resized picture cropped from its padding;
/// flips; colours; with the probability `erasing` a rectangle of 2 to 33 % blackened (RandomErasing).
Image augment_classified(const Image& image, int64_t height, int64_t width, const AugmentOptions& options,
                         RandomGenerator& random);

/// How a classified picture is mixed with another: `partner` is its index, or -1; `share` the weight of the own label.
struct LabelMix {
  int64_t partner = -1;
  bool cut = false;  ///< cutmix; else mixup
  double share = 1;
};

/// Draws whether and with which of `count` pictures to mix: cutmix, else mixup, by their probabilities.
LabelMix draw_mix(int64_t count, const AugmentOptions& options, RandomGenerator& random);

/// Mixes: share image + (1 - share) other (Zhang et al. 2018), or a rectangle of `other` in place (Yun et al. 2019),
/// which changes mix->share to the part of the pixels that are left. Both [H, W, C] of one shape.
void apply_mix(Image* image, const Image& other, LabelMix* mix, RandomGenerator& random);

/// Gives annotated picture `index`, as it is on disk.
using FetchAnnotated = std::function<AnnotatedImage(int64_t index)>;

/// Picture `index` of `count` for detection, key points or segmentation, -> [size, size, C]. With the probability
/// `mosaic` four pictures around a random point of a canvas of twice the size, else the picture letterboxed; then
/// rotated, scaled, sheared, shifted; with `mixup` mixed with another such; flips; colours (the order of Ultralytics'
/// v8_transforms). Throws UserError for mixup of pictures with masks.
AnnotatedImage augment_annotated(int64_t index, int64_t count, const FetchAnnotated& fetch, int64_t size,
                                 const AugmentOptions& options, RandomGenerator& random);

}  // namespace suanli
