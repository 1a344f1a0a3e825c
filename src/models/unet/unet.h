/// U-Net (Ronneberger et al. 2015) with batch normalisation and padded convolutions: a class for each pixel.
#pragma once

#include <vector>

#include "models/family.h"
#include "nn/images.h"

namespace suanli::models {

struct UnetConfig : ModelConfig {
  int64_t channels = 3;                                     ///< of the image
  std::vector<int64_t> widths = {64, 128, 256, 512, 1024};  ///< channels at each size, the largest image first
};

/// relu(norm(conv(.))) twice, 3x3.
class DoubleConvolution {
 public:
  DoubleConvolution(nn::ParameterScope scope, int64_t in, int64_t out);
  /// x [B,H,W,in] -> [B,H,W,out].
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  nn::Conv2d first_, second_;
  nn::BatchNorm2d first_norm_, second_norm_;
};

/// Down: the largest of 2x2, then a double convolution. Up: a transposed convolution of 2x2 beside what was there on
/// the way down, then a double convolution.
class Unet final : public Network {
 public:
  Unet(nn::ParameterScope scope, const UnetConfig& config);
  /// Throws UserError for sides that cannot be halved as often as the network does.
  Tensor pixel_logits(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  std::vector<DoubleConvolution> down_, up_;
  std::vector<nn::ConvTranspose2d> widen_;
  nn::Conv2d classifier_;
};

/// "model_type": "unet" with num_channels (3) and hidden_sizes (64, 128, 256, 512, 1024); tensors are called as in the
/// PyTorch network that is in common use: inc, down1, ..., up1, ..., outc.conv. Throws UserError for what is out of
/// range.
std::unique_ptr<Family> read_unet(const Json& json, const std::string& where);

}  // namespace suanli::models
