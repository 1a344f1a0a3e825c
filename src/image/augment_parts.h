/// What the augmentation of classified and of annotated pictures share.
#pragma once

#include "base/random.h"
#include "image/augment.h"

namespace suanli {

double random_between(double low, double high, RandomGenerator& random);
bool random_event(double probability, RandomGenerator& random);
/// A number of Beta(alpha, alpha).
double random_beta(double alpha, RandomGenerator& random);

/// share image + (1 - share) other, rounded.
void mix_pixels(Image* image, const Image& other, double share);

/// Brightness, contrast, saturation, then HSV, each by its gain.
void random_colors(Image* image, const AugmentOptions& options, RandomGenerator& random);

}  // namespace suanli
