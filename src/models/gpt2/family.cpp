#include "models/gpt2/family.h"

#include "models/gpt2/gpt2.h"
#include "models/layer_names.h"

namespace suanli::models {
namespace {

const std::vector<LayerName> kGpt2Names = {{"embeddings.word", {"wte"}},
                                           {"embeddings.position", {"wpe"}},
                                           {"layer.#.attention.norm", {"h.#.ln_1"}},
                                           {"layer.#.attention.qkv", {"h.#.attn.c_attn"}},
                                           {"layer.#.attention.output", {"h.#.attn.c_proj"}},
                                           {"layer.#.norm", {"h.#.ln_2"}},
                                           {"layer.#.up", {"h.#.mlp.c_fc"}},
                                           {"layer.#.down", {"h.#.mlp.c_proj"}},
                                           {"norm", {"ln_f"}},
                                           {"head", {"lm_head"}, false}};

class Gpt2Family final : public Family {
 public:
  explicit Gpt2Family(Gpt2Config config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    return std::make_unique<Gpt2>(scope, config_, head);
  }
  std::string architecture(Head head) const override {
    return head == Head::causal_lm ? "GPT2LMHeadModel" : "GPT2Model";
  }
  StoredNames stored_names(const std::string& parameter) const override {
    StoredNames stored = layer_names(kGpt2Names, parameter);
    stored.may_be_new = !stored.body;
    // Its linear layers are stored as [in, out] (Conv1D of transformers).
    if (parameter.starts_with("layer.") && parameter.ends_with(".weight") &&
        parameter.find("norm") == std::string::npos) {
      stored.axes = {1, 0};
    }
    return stored;
  }
  std::string body_prefix() const override { return "transformer."; }
  bool may_be_unused(const std::string& stored_name) const override {
    return stored_name.starts_with("lm_head.") || stored_name.ends_with(".attn.bias") ||
           stored_name.ends_with(".attn.masked_bias");
  }

 private:
  Gpt2Config config_;
};

}  // namespace

std::unique_ptr<Family> read_gpt2(const Json& json, const std::string& where) {
  return std::make_unique<Gpt2Family>(gpt2_config(json, where));
}

}  // namespace suanli::models
