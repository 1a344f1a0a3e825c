#include "base/concat.h"
#include "base/error.h"
#include "models/image_labels.h"
#include "models/layer_names.h"
#include "models/vit/vit.h"

namespace suanli::models {
namespace {

const std::vector<LayerName> kVitNames = {
    {"embeddings", {"embeddings"}},
    {"embeddings.patch", {"embeddings.patch_embeddings.projection"}},
    {"layer.#.attention.norm", {"encoder.layer.#.layernorm_before"}},
    {"layer.#.attention.qkv",
     {"encoder.layer.#.attention.attention.query", "encoder.layer.#.attention.attention.key",
      "encoder.layer.#.attention.attention.value"}},
    {"layer.#.attention.output", {"encoder.layer.#.attention.output.dense"}},
    {"layer.#.norm", {"encoder.layer.#.layernorm_after"}},
    {"layer.#.up", {"encoder.layer.#.intermediate.dense"}},
    {"layer.#.down", {"encoder.layer.#.output.dense"}},
    {"norm", {"layernorm"}},
    {"classifier", {"classifier"}, false}};

class VitFamily final : public Family {
 public:
  explicit VitFamily(VitConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    check_image_head("a vision transformer", head);
    return std::make_unique<Vit>(scope, config_);
  }
  std::string architecture(Head head) const override { return std::string("ViT") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    StoredNames stored = layer_names(kVitNames, parameter);
    stored.may_be_new = !stored.body;
    if (parameter == "embeddings.patch.weight") stored.axes = nn::kConv2dAxes;
    return stored;
  }
  std::string body_prefix() const override { return "vit."; }
  /// The pooler, which the classifier does not use, and the mask of pre-training.
  bool may_be_unused(const std::string& stored_name) const override {
    return stored_name.find("pooler.") != std::string::npos || stored_name.ends_with("mask_token");
  }

 private:
  VitConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_vit(const Json& json, const std::string& where) {
  const auto size = [&](const char* key, int64_t otherwise) {
    return json.contains(key) ? config_size(json, key, 1, where) : otherwise;
  };
  VitConfig config;
  read_image_config(json, where, config);
  config.image_size = size("image_size", 224);
  config.patch_size = size("patch_size", 16);
  config.channels = size("num_channels", 3);
  config.hidden_size = size("hidden_size", 768);
  config.layers = size("num_hidden_layers", 12);
  config.layer = {.hidden = config.hidden_size,
                  .heads = size("num_attention_heads", 12),
                  .intermediate = size("intermediate_size", 3072),
                  .norm_eps = json_get_or<double>(json, "layer_norm_eps", 1e-12, where),
                  .dropout = config_probability(json, "hidden_dropout_prob", 0, where),
                  .attention_dropout = config_probability(json, "attention_probs_dropout_prob", 0, where),
                  .initializer_range = json_get_or<double>(json, "initializer_range", 0.02, where),
                  .activation = nn::activation_named(json_get_or<std::string>(json, "hidden_act", "gelu", where))};
  if (config.hidden_size % config.layer.heads != 0 || config.image_size % config.patch_size != 0) {
    throw UserError(where, concat("expected \"hidden_size\" to be a multiple of \"num_attention_heads\" and "
                                  "\"image_size\" one of \"patch_size\", got ",
                                  config.hidden_size, ", ", config.layer.heads, ", ", config.image_size, " and ",
                                  config.patch_size));
  }
  if (!json_get_or<bool>(json, "qkv_bias", true, where)) {
    throw UserError(where, "expected \"qkv_bias\": true, got false, which is not supported");
  }
  return std::make_unique<VitFamily>(std::move(config));
}

}  // namespace suanli::models
