/// EDSR (Lim et al. 2017): residual blocks without normalisation on the small picture, enlarged by pixel shuffles.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "models/super_resolution/config.h"
#include "nn/images.h"

namespace suanli::models {

/// Keys and defaults of the EDSR-baseline in torchSR and super-image.
struct EdsrConfig : SuperResolutionConfig {
  int64_t blocks = 16, features = 64;  ///< "n_resblocks", "n_feats"
  double res_scale = 1;                ///< of what a block adds
  double rgb_range = 255;              ///< the network computes in 0..rgb_range
  std::vector<double> rgb_mean = {};   ///< subtracted first, added last, in 0..1; one for each channel
};

/// A colour of constant weights for each channel: x -> factor x + shift, as a convolution of 1 x 1.
class ChannelShift {
 public:
  ChannelShift(double factor, const std::vector<double>& shift);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_, bias_;
};

/// f = head(rgb_range (x - mean));  f + body(f), where a block is r + res_scale conv(relu(conv(r))) and the body ends
/// in a convolution;  upsampler: conv to r^2 as many channels and a pixel shuffle (twice by 2 for 4);  tail to colours.
class Edsr final : public Network {
 public:
  Edsr(nn::ParameterScope scope, const EdsrConfig& config);
  Tensor enlarged_pixels(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  double res_scale_;
  ChannelShift normalize_, denormalize_;
  nn::Conv2d head_;
  std::vector<nn::Conv2d> body_;  ///< two a block, and the last
  std::vector<nn::Conv2d> upsampler_;
  std::vector<int64_t> factors_;  ///< of the shuffle behind each
  nn::Conv2d tail_;
};

/// Throws UserError naming `where` and key for what is out of range.
EdsrConfig edsr_config(const Json& json, const std::string& where);

/// "model_type": "edsr"; tensors are called as in EDSR-PyTorch, torchSR and super-image: head.0, body.N.body.0,
/// body.N.body.2, body.<n_resblocks>, tail.0.0, tail.1. Throws UserError as edsr_config() does.
std::unique_ptr<Family> read_edsr(const Json& json, const std::string& where);

}  // namespace suanli::models
