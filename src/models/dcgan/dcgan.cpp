#include "models/dcgan/dcgan.h"

#include <bit>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "models/image_labels.h"
#include "nn/images.h"
#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/layout.h"

namespace suanli::models {

namespace {

constexpr double kSpread = 0.02;  // standard deviation of new weights, section 4 of the paper

/// Normal around 1.
void near_one(const Tensor& tensor, RandomGenerator& random) {
  for (float& value : tensor.host<float>()) value = static_cast<float>(1 + kSpread * random.next_normal());
}

/// x where it is above 0, else 0.2 x.
Tensor leaky_relu(const Tensor& x) { return ops::add(ops::scale(x, 0.2), ops::scale(ops::relu(x), 0.8)); }

}  // namespace

int64_t DcganConfig::halvings() const { return std::bit_width(static_cast<uint64_t>(image_size)) - 3; }

DcganLayer::DcganLayer(nn::ParameterScope main, Kind kind, int64_t index, int64_t in, int64_t out, bool at_vector,
                       bool norm)
    : kind_(kind), at_vector_(at_vector) {
  const bool transposed = kind == Kind::transposed;
  weight_ = (main / std::to_string(index))
                .get("weight", {transposed ? in : out, 4, 4, transposed ? out : in}, nn::normal(kSpread));
  if (!norm) return;
  const nn::ParameterScope scope = main / std::to_string(index + 1);
  norm_weight_ = scope.get("weight", {out}, near_one);
  norm_bias_ = scope.get("bias", {out}, nn::zeros());
  running_ = {scope.buffer("running_mean", {out}, nn::zeros()), scope.buffer("running_var", {out}, nn::ones())};
}

Tensor DcganLayer::operator()(const Tensor& x, const nn::Mode& mode, bool frozen) const {
  const auto held = [frozen](const Tensor& parameter) { return frozen ? detach(parameter) : parameter; };
  const int64_t stride = at_vector_ ? 1 : 2, padding = at_vector_ ? 0 : 1;
  const ops::Pair strides = {stride, stride}, paddings = {padding, padding};
  Tensor y = kind_ == Kind::transposed
                 ? ops::conv_transpose2d(x, held(weight_), {}, {.stride = strides, .padding = paddings})
                 : ops::conv2d(x, held(weight_), {}, {.stride = strides, .padding = paddings});
  if (!norm_weight_.defined()) return y;
  return ops::batch_norm(y, running_, held(norm_weight_), held(norm_bias_), {.training = mode.training});
}

Dcgan::Dcgan(nn::ParameterScope scope, const DcganConfig& config) : latent_size_(config.latent_size) {
  const int64_t halvings = config.halvings(), widest = config.hidden_size << (halvings - 1);
  const nn::ParameterScope generator = scope / "generator.main", discriminator = scope / "discriminator.main";
  for (int64_t i = 0; i <= halvings; ++i) {
    const bool last = i == halvings;
    const int64_t in = i == 0 ? config.latent_size : widest >> (i - 1), out = last ? config.channels : widest >> i;
    generator_.emplace_back(generator, DcganLayer::Kind::transposed, 3 * i, in, out, i == 0, !last);
  }
  for (int64_t i = 0; i <= halvings; ++i) {
    const bool last = i == halvings;
    const int64_t in = i == 0 ? config.channels : config.hidden_size << (i - 1);
    const int64_t out = last ? 1 : config.hidden_size << i;
    discriminator_.emplace_back(discriminator, DcganLayer::Kind::convolution, i == 0 ? 0 : 3 * i - 1, in, out, last,
                                i > 0 && !last);
  }
}

Tensor Dcgan::generated_images(const Tensor& latent, const nn::Mode& mode) const {
  if (latent.shape().rank() != 2 || latent.dim(1) != latent_size_) {
    throw UserError("dcgan", concat("expected latent numbers [B, ", latent_size_, "], got ", latent.shape().text()));
  }
  Tensor x = ops::reshape(ops::cast(latent, mode.dtype), {latent.dim(0), 1, 1, latent_size_});
  for (size_t i = 0; i < generator_.size(); ++i) {
    x = generator_[i](x, mode);
    x = i + 1 < generator_.size() ? ops::relu(x) : ops::tanh(x);
  }
  return ops::cast(x, DType::f32);
}

Tensor Dcgan::realness_logits(const Tensor& pixels, const nn::Mode& mode, bool frozen) const {
  Tensor x = ops::cast(pixels, mode.dtype);
  for (size_t i = 0; i < discriminator_.size(); ++i) {
    x = discriminator_[i](x, mode, frozen);
    if (i + 1 < discriminator_.size()) x = leaky_relu(x);
  }
  if (x.elements() != pixels.dim(0)) {
    throw UserError("dcgan", "expected pictures of the model's image_size, got " + pixels.shape().text());
  }
  return ops::cast(ops::reshape(x, {pixels.dim(0)}), DType::f32);
}

namespace {

class DcganFamily final : public Family {
 public:
  explicit DcganFamily(DcganConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    if (head != Head::image_generation) {
      throw UserError("model", "expected the task image-generation for a DCGAN, got another one");
    }
    return std::make_unique<Dcgan>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("DCGAN") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    // Convolutions stand at 0, 3, 6, ... of the generator and at 0, 2, 5, ... of the discriminator.
    const bool generates = parameter.starts_with("generator");
    const int index = std::stoi(parameter.substr(parameter.find("main.") + 5));
    const bool convolution = generates ? index % 3 == 0 : index == 0 || index % 3 == 2;
    return {.names = {parameter}, .axes = convolution ? nn::kConv2dAxes : std::vector<int>{}};
  }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  DcganConfig config_;
};

}  // namespace

DcganConfig dcgan_config(const Json& json, const std::string& where) {
  constexpr int64_t kLargestSide = 1024, kMost = 4096, kWidest = 8192;
  DcganConfig config;
  read_image_config(json, where, config);
  const auto size = [&](const char* key, int64_t& to, int64_t least, int64_t most) {
    if (json.contains(key)) to = config_size(json, key, least, where);
    if (to > most) throw UserError(where, concat("expected \"", key, "\" in ", least, "..", most, ", got ", to));
  };
  size("num_channels", config.channels, 1, 3);
  size("image_size", config.image_size, 8, kLargestSide);
  size("latent_size", config.latent_size, 1, kMost);
  size("hidden_size", config.hidden_size, 1, kMost);
  if (!std::has_single_bit(static_cast<uint64_t>(config.image_size))) {
    throw UserError(where, concat("expected \"image_size\" 8, 16, 32, 64, ..., got ", config.image_size));
  }
  const int64_t widest = config.hidden_size << (config.halvings() - 1);
  if (widest > kWidest) {
    throw UserError(where, concat("expected \"hidden_size\" and \"image_size\" that give at most ", kWidest,
                                  " channels at 4x4 pixels, got ", widest));
  }
  return config;
}

std::unique_ptr<Family> read_dcgan(const Json& json, const std::string& where) {
  return std::make_unique<DcganFamily>(dcgan_config(json, where));
}

}  // namespace suanli::models
