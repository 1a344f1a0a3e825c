/// How alike two pictures are: peak signal-to-noise ratio and structural similarity of their luma.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace suanli {

/// Luma of ITU-R BT.601 in 16..235, not rounded, of the 8 bits of each pixel: 16 + (65.481 R + 128.553 G + 24.966 B) /
/// 255 (MATLAB's rgb2ycbcr, on which papers about super-resolution score); of grey pictures the values as they are. The
/// `border` outermost pixels are left away. [H, W, C] -> [H - 2 border, W - 2 border, 1]; at least one pixel remains
/// and C is 1 or 3 (else our mistake).
Raster<double> luma_plane(const Image& image, int64_t border);

/// Peak signal-to-noise ratio 10 log10(255^2 / mean (a - b)^2) of planes of one shape, in dB; infinite for equal ones.
double psnr(const Raster<double>& a, const Raster<double>& b);

/// The side of the windows of ssim(): smaller planes have none.
constexpr int64_t kSsimWindow = 11;

/// Mean structural similarity (Wang et al. 2004; skimage.metrics.structural_similarity with gaussian_weights,
/// sigma 1.5, use_sample_covariance=False and data_range 255): over all windows of 11 x 11 pixels with Gaussian weights
///   (2 mean_a mean_b + C1) (2 cov + C2) / ((mean_a^2 + mean_b^2 + C1) (var_a + var_b + C2)), C1 = 2.55^2, C2 = 7.65^2
/// Planes of one shape, both sides at least kSsimWindow (else our mistake).
double ssim(const Raster<double>& a, const Raster<double>& b);

}  // namespace suanli
