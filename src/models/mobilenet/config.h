/// The configurations of networks of inverted residuals: MobileNetV2 (Hugging Face's and torchvision's) and
/// EfficientNet-Lite.
#pragma once

#include <vector>

#include "models/config.h"

namespace suanli::models {

/// Whose names the tensors have in files.
enum class MobileNetNaming { hugging_face, torchvision, efficientnet };

struct InvertedResidualConfig {
  int64_t in, inner, out, kernel, stride;
  bool expands;   ///< from `in` to `inner`, which are else the same
  bool residual;  ///< adds its input, of the same shape
};

struct MobileNetConfig : ModelConfig {
  MobileNetNaming naming = MobileNetNaming::hugging_face;
  int64_t channels = 3, stem = 32, features = 1280;  ///< of the image, after the first and after the last convolution
  std::vector<InvertedResidualConfig> blocks = {};
  bool same_padding = false;  ///< ops::same_padding(), or else kernel / 2 on all sides
  double norm_eps = 1e-5, norm_momentum = 0.1;
  float dropout = 0.2F;  ///< before the classifier
};

/// Reads
///   "model_type": "mobilenet_v2" as transformers' MobileNetV2Config (output_stride 32), or, with "weight_names":
///   "torchvision", as the arguments of torchvision.models.mobilenet_v2: width_mult, inverted_residual_setting,
///   dropout; "model_type": "efficientnet_lite": width_coefficient and depth_coefficient (1, 1: Lite0), dropout_rate
///   (0.2), and "blocks" where they are not EfficientNet's: rows of [ratio, channels, repeats, stride, kernel].
/// Throws UserError for what is missing, out of range or not supported.
MobileNetConfig mobilenet_config(const Json& json, const std::string& where);

}  // namespace suanli::models
