/// SRCNN (Dong et al. 2014): three convolutions that sharpen a picture which bicubic resizing has enlarged.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "models/super_resolution/config.h"
#include "nn/images.h"

namespace suanli::models {

struct SrcnnConfig : SuperResolutionConfig {
  std::vector<int64_t> kernels = {9, 1, 5};  ///< "kernel_sizes", odd; 9, 5, 5 is the larger network of the paper
  std::vector<int64_t> widths = {64, 32};    ///< "hidden_sizes"
};

/// conv(relu(conv(relu(conv(x))))), padded so that sizes stay.
class Srcnn final : public Network {
 public:
  Srcnn(nn::ParameterScope scope, const SrcnnConfig& config);
  Tensor enlarged_pixels(const Tensor& pixels, const nn::Mode& mode) const override;

 private:
  nn::Conv2d conv1_, conv2_, conv3_;
};

/// Throws UserError naming `where` and key for what is out of range.
SrcnnConfig srcnn_config(const Json& json, const std::string& where);

/// "model_type": "srcnn"; tensors are called conv1, conv2, conv3. Throws UserError as
/// srcnn_config() does.
std::unique_ptr<Family> read_srcnn(const Json& json, const std::string& where);

}  // namespace suanli::models
