/// Pictures enlarged by a network of super-resolution.
#pragma once

#include <vector>

#include "image/image.h"
#include "models/network.h"
#include "models/super_resolution/config.h"

namespace suanli::infer {

/// Bytes as 0..1.
std::vector<float> unit_values(const Image& image);

/// By config.upscale, without a network.
Image enlarged_bicubic(const Image& image, const models::SuperResolutionConfig& config);

/// `image` with config.channels, config.upscale as large. Computed in tiles of `tile` pixels with all around them that
/// decides them: other tiles give the same picture, but for the rounding of sums.
Image enlarged(const Image& image, const models::Network& network, const models::SuperResolutionConfig& config,
               const Device& device, const nn::Mode& mode, int64_t tile = 256);

}  // namespace suanli::infer
