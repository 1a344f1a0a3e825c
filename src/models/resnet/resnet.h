/// Residual networks over images (He et al. 2016): those for ImageNet (Hugging Face's ResNetForImageClassification,
/// torchvision.models.resnet) and the narrow ones for CIFAR-10 of the paper's section 4.2.
#pragma once

#include <vector>

#include "models/config.h"
#include "models/image_body.h"
#include "models/network.h"
#include "nn/images.h"
#include "nn/layers.h"

namespace suanli::models {

struct ResNetConfig : ModelConfig {
  bool cifar = false;                             ///< a stem of 3x3 without pooling, shortcuts without parameters
  bool bottleneck = false;                        ///< blocks of 1x1, 3x3 and 1x1, or else of two 3x3
  int64_t channels = 3;                           ///< of the image
  int64_t stem = 64;                              ///< channels after the first convolution
  std::vector<int64_t> depths = {}, widths = {};  ///< blocks of each stage, and their channels out
};

/// Reads "model_type": "resnet" (Hugging Face's ResNetConfig) or "resnet_cifar" ("depth": 20, 32, 44, 56, ...).
/// Throws UserError for what is missing, out of range or not supported.
ResNetConfig resnet_config(const Json& json, const std::string& where);

/// y = relu(F(x) + shortcut(x)), F of two or three convolutions with batch normalisation.
class ResidualBlock {
 public:
  ResidualBlock(nn::ParameterScope scope, const ResNetConfig& config, int64_t in, int64_t out, int64_t stride);
  /// x [B,H,W,in] -> [B,H/stride,W/stride,out].
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  Tensor shortcut(const Tensor& x, const nn::Mode& mode) const;

  int64_t in_, out_, stride_;
  std::vector<nn::Conv2d> convolutions_;
  std::vector<nn::BatchNorm2d> norms_;
  std::vector<nn::Conv2d> projection_;  // one, or none
  std::vector<nn::BatchNorm2d> projection_norm_;
};

/// The stem and the stages of blocks.
class ResNetBody final : public ImageBody {
 public:
  ResNetBody(nn::ParameterScope scope, const ResNetConfig& config);
  std::vector<Tensor> stages(const Tensor& pixels, const nn::Mode& mode) const override;
  std::vector<int64_t> widths() const override { return widths_; }

 private:
  bool cifar_;
  std::vector<int64_t> widths_;
  nn::Conv2d stem_;
  nn::BatchNorm2d stem_norm_;
  std::vector<std::vector<ResidualBlock>> stages_;
};

class ResNet final : public Network {
 public:
  ResNet(nn::ParameterScope scope, const ResNetConfig& config);
  Tensor image_logits(const Tensor& pixels, const nn::Mode& mode) const override;
  Tensor image_features(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  Tensor features(const Tensor& pixels, const nn::Mode& mode) const;

  ResNetBody body_;
  nn::Linear classifier_;
};

}  // namespace suanli::models
