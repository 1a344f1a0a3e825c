/// AlexNet (Krizhevsky 2014, "One weird trick"; torchvision.models.alexnet).
#pragma once

#include <vector>

#include "models/family.h"
#include "nn/images.h"
#include "nn/layers.h"

namespace suanli::models {

struct AlexNetConfig : ModelConfig {
  int64_t channels = 3;
  std::vector<int64_t> widths = {64, 192, 384, 256, 256};  ///< channels out of each convolution
  int64_t hidden = 4096;                                   ///< width of the first two linear layers
  float dropout = 0.5F;
};

/// Five convolutions and three linear layers, for images whose features are 6x6: 223 to 254 pixels a side.
class AlexNet final : public Network {
 public:
  AlexNet(nn::ParameterScope scope, const AlexNetConfig& config);
  Tensor image_logits(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  std::vector<nn::Conv2d> convolutions_;
  nn::Linear fc1_, fc2_, fc3_;
  nn::Dropout first_, second_;
};

/// "model_type": "alexnet", with num_channels (3), hidden_sizes (64, 192, 384, 256, 256), intermediate_size (4096) and
/// dropout (0.5); torchvision's names of tensors.
std::unique_ptr<Family> read_alexnet(const Json& json, const std::string& where);

}  // namespace suanli::models
