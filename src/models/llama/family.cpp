#include "models/llama/family.h"

#include "models/layer_names.h"
#include "models/llama/llama.h"

namespace suanli::models {
namespace {

const std::vector<LayerName> kLlamaNames = {
    {"embeddings.word", {"embed_tokens"}},
    {"layer.#.attention.norm", {"layers.#.input_layernorm"}},
    {"layer.#.attention.qkv", {"layers.#.self_attn.q_proj", "layers.#.self_attn.k_proj", "layers.#.self_attn.v_proj"}},
    {"layer.#.attention.output", {"layers.#.self_attn.o_proj"}},
    {"layer.#.norm", {"layers.#.post_attention_layernorm"}},
    {"layer.#.gate_up", {"layers.#.mlp.gate_proj", "layers.#.mlp.up_proj"}},
    {"layer.#.down", {"layers.#.mlp.down_proj"}},
    {"norm", {"norm"}},
    {"head", {"lm_head"}, false}};

class LlamaFamily final : public Family {
 public:
  explicit LlamaFamily(LlamaConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    return std::make_unique<Llama>(scope, config_, head);
  }
  std::string architecture(Head head) const override {
    return head == Head::causal_lm ? "LlamaForCausalLM" : "LlamaModel";
  }
  StoredNames stored_names(const std::string& parameter) const override {
    StoredNames stored = layer_names(kLlamaNames, parameter);
    stored.may_be_new = !stored.body;
    if (stored.names.size() == 3) stored.shares = {config_.heads, config_.key_heads, config_.key_heads};
    return stored;
  }
  std::string body_prefix() const override { return "model."; }
  bool may_be_unused(const std::string& stored_name) const override {
    return stored_name.starts_with("lm_head.") || stored_name.ends_with(".rotary_emb.inv_freq");
  }

 private:
  LlamaConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_llama(const Json& json, const std::string& where) {
  return std::make_unique<LlamaFamily>(llama_config(json, where));
}

}  // namespace suanli::models
