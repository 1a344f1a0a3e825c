/// The vision transformer (Dosovitskiy et al. 2021; Hugging Face's ViTForImageClassification).
#pragma once

#include <vector>

#include "models/family.h"
#include "nn/images.h"
#include "nn/transformer.h"

namespace suanli::models {

struct VitConfig : ModelConfig {
  int64_t image_size = 224, patch_size = 16, channels = 3, layers = 12;
  nn::EncoderLayerOptions layer = {};
  /// Patches of an image, and its class token.
  int64_t tokens() const { return image_size / patch_size * (image_size / patch_size) + 1; }
};

/// x1 = x + dropout(attention(norm(x)));  y = x1 + dropout(down(activation(up(norm(x1))))).
class VitLayer {
 public:
  VitLayer(nn::ParameterScope scope, const nn::EncoderLayerOptions& options);
  /// x [T,H], offsets [B+1] i32 -> [T,H].
  Tensor operator()(const Tensor& x, const Tensor& offsets, const nn::Mode& mode) const;

 private:
  nn::LayerNorm attention_norm_;
  nn::SelfAttention attention_;
  nn::LayerNorm norm_;
  nn::Linear up_, down_;
  nn::Dropout attention_dropout_, output_dropout_;
  ops::Activation activation_;
};

/// Each image is a sequence of a class token and its patches; the classifier sees the class token after the last norm.
class Vit final : public Network {
 public:
  Vit(nn::ParameterScope scope, const VitConfig& config);
  /// Throws UserError for images of another size than the configuration's.
  Tensor image_logits(const Tensor& pixels, const nn::Mode& mode) const override;
  void set_gradient_checkpointing(bool on) override { gradient_checkpointing_ = on; }

 private:
  /// pixels [B,height,width,channels] -> [B * tokens, H].
  Tensor embed(const Tensor& pixels, const nn::Mode& mode) const;

  VitConfig config_;
  nn::Conv2d patches_;
  Tensor class_token_, positions_;  // [1,1,H], [1,tokens,H]
  nn::Dropout dropout_;
  std::vector<VitLayer> layers_;
  nn::LayerNorm norm_;
  nn::Linear classifier_;
  bool gradient_checkpointing_ = false;
};

/// "model_type": "vit" as transformers' ViTConfig, with its names of tensors. Throws UserError for what is missing, out
/// of range or not supported (qkv_bias false).
std::unique_ptr<Family> read_vit(const Json& json, const std::string& where);

}  // namespace suanli::models
