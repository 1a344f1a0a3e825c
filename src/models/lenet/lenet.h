/// LeNet-5 (LeCun et al. 1998) as it is taught today: ReLU and the largest value of 2x2 in place of tanh and means.
#pragma once

#include "models/family.h"
#include "nn/images.h"
#include "nn/layers.h"

namespace suanli::models {

struct LeNetConfig : ModelConfig {
  int64_t channels = 1, image_size = 28;
};

/// conv1 5x5 of 6, pool, conv2 5x5 of 16, pool, fc1 of 120, fc2 of 84, fc3; images of 28x28 are padded by 2.
class LeNet final : public Network {
 public:
  LeNet(nn::ParameterScope scope, const LeNetConfig& config);
  Tensor image_logits(const Tensor& pixels, const nn::Mode& mode) const override;
  Tensor image_features(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  Tensor features(const Tensor& pixels, const nn::Mode& mode) const;

  nn::Conv2d conv1_, conv2_;
  nn::Linear fc1_, fc2_, fc3_;
};

/// "model_type": "lenet", with num_channels (1) and image_size (28 or 32); tensors are called as the layers above.
/// Throws UserError for another size.
std::unique_ptr<Family> read_lenet(const Json& json, const std::string& where);

}  // namespace suanli::models
