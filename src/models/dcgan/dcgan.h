/// DCGAN (Radford, Metz and Chintala 2016): a generator that makes pictures of random numbers, and a discriminator that
/// tells them from real ones.
#pragma once

#include <vector>

#include "models/family.h"
#include "ops/batch_norm.h"

namespace suanli::models {

struct DcganConfig : ModelConfig {
  int64_t channels = 3;       ///< of the pictures
  int64_t image_size = 64;    ///< their side: 4 times a power of two
  int64_t latent_size = 100;  ///< random numbers that a picture is made of
  int64_t hidden_size = 64;   ///< channels beside the picture; doubled each time that the side is halved
  /// How often the side is halved from the picture down to 4.
  int64_t halvings() const;
};

/// A convolution of 4x4 without bias, transposed in a generator, and the batch normalisation behind it.
class DcganLayer {
 public:
  enum class Kind : uint8_t { convolution, transposed };
  /// From `in` to `out` channels. Between 1x1 and 4x4 pixels (`at_vector`) or between a size and its half. Parameters
  /// are named as in the nn.Sequential "main" of PyTorch's example: `index` is the place of the convolution there.
  DcganLayer(nn::ParameterScope main, Kind kind, int64_t index, int64_t in, int64_t out, bool at_vector, bool norm);
  /// `frozen`: the parameters take no gradient.
  Tensor operator()(const Tensor& x, const nn::Mode& mode, bool frozen = false) const;

 private:
  Kind kind_;
  bool at_vector_;
  Tensor weight_, norm_weight_, norm_bias_;  // of the norm undefined: none
  ops::RunningStatistics running_;
};

/// Generator: 1x1 of latent_size, doubled from 4x4 with ReLU between, tanh at the end. Discriminator: halved down to
/// 4x4 with LeakyReLU(0.2) between, one logit at the end. Neither has a norm beside the picture, nor at the logit.
class Dcgan final : public Network {
 public:
  Dcgan(nn::ParameterScope scope, const DcganConfig& config);
  Tensor generated_images(const Tensor& latent, const nn::Mode& mode) const override;
  Tensor realness_logits(const Tensor& pixels, const nn::Mode& mode, bool frozen) const override;

 private:
  int64_t latent_size_;
  std::vector<DcganLayer> generator_, discriminator_;
};

/// The fields of a config.json with "model_type": "dcgan": num_channels (3), image_size (64), latent_size (100),
/// hidden_size (64). Throws UserError for what is out of range.
DcganConfig dcgan_config(const Json& json, const std::string& where);

/// Tensors are called generator.main.N... and discriminator.main.N..., as in PyTorch's example of a DCGAN.
std::unique_ptr<Family> read_dcgan(const Json& json, const std::string& where);

}  // namespace suanli::models
