/// Networks of inverted residuals (Sandler et al. 2018; Tan and Le 2019): torchvision.models.mobilenet_v2, Hugging
/// Face's MobileNetV2ForImageClassification and EfficientNet-Lite, whose activations are all relu6.
#pragma once

#include <optional>
#include <vector>

#include "models/image_body.h"
#include "models/mobilenet/config.h"
#include "models/network.h"
#include "nn/images.h"
#include "nn/layers.h"

namespace suanli::models {

/// norm(conv(x)); parameters conv.weight, norm.weight, norm.bias.
class ConvNorm {
 public:
  struct Options {
    int64_t in, out, kernel = 1, stride = 1, groups = 1;
  };
  ConvNorm(nn::ParameterScope scope, const MobileNetConfig& config, const Options& options);
  /// x [B,H,W,in] -> [B, H/stride, W/stride, out], rounded up.
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const { return norm_(conv_(x), mode); }
  /// min(max(., 0), 6) of it.
  Tensor relu6(const Tensor& x, const nn::Mode& mode) const;

 private:
  nn::Conv2d conv_;
  nn::BatchNorm2d norm_;
};

/// y = project(relu6(depthwise(relu6(expand(x))))), + x where the shape stays; no expand where it would not widen.
class InvertedResidual {
 public:
  InvertedResidual(nn::ParameterScope scope, const MobileNetConfig& config, const InvertedResidualConfig& block);
  /// x [B,H,W,in] -> [B, H/stride, W/stride, out], rounded up.
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  bool residual_;
  std::optional<ConvNorm> expand_;
  ConvNorm depthwise_, project_;
};

/// The stem and the blocks; a stage ends before each block that halves the map, and behind the last one.
class MobileNetBody final : public ImageBody {
 public:
  MobileNetBody(nn::ParameterScope scope, const MobileNetConfig& config);
  std::vector<Tensor> stages(const Tensor& pixels, const nn::Mode& mode) const override;
  std::vector<int64_t> widths() const override;

 private:
  std::vector<InvertedResidualConfig> configs_;
  ConvNorm stem_;
  std::vector<InvertedResidual> blocks_;
};

/// The number of blocks of each stage.
std::vector<size_t> stage_sizes(const std::vector<InvertedResidualConfig>& blocks);

class MobileNet final : public Network {
 public:
  MobileNet(nn::ParameterScope scope, const MobileNetConfig& config);
  Tensor image_logits(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  MobileNetBody body_;
  ConvNorm last_;
  nn::Dropout dropout_;
  nn::Linear classifier_;
};

}  // namespace suanli::models
