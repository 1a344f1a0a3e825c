/// Changes of colour that leave every pixel in its place; pictures are RGB or grey.
#pragma once

#include "image/image.h"

namespace suanli {

/// Every value v becomes base + factor (v - base), cut off below, at 0 and at 255: base is 0 for brightness, the
/// rounded mean of the grey picture for contrast, the pixel's own grey for saturation. Equal to PIL.ImageEnhance's
/// Brightness, Contrast and Color (and torchvision's adjust_* on PIL pictures) to the byte.
void adjust_brightness(Image* image, float factor);
void adjust_contrast(Image* image, float factor);
void adjust_saturation(Image* image, float factor);

/// Hue turned by `hue` of a full circle, saturation and value times `saturation` and `value`, cut off at 1 (HSV, Smith
/// 1978; the random_hsv of Ultralytics without its 8-bit tables). A grey picture changes its value alone.
void adjust_hsv(Image* image, float hue, float saturation, float value);

}  // namespace suanli
