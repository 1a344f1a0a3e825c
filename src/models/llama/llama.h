/// Llama (Touvron et al. 2023): RMSNorm before each sublayer, rotary positions, grouped queries, SwiGLU.
#pragma once

#include <memory>
#include <vector>

#include "models/causal.h"
#include "nn/rotary.h"

namespace suanli::models {

struct LlamaConfig : ModelConfig {
  int64_t layers = 0, heads = 0, key_heads = 0, head_size = 0, intermediate_size = 0;
  double rms_norm_eps = 1e-6, initializer_range = 0.02;
  float attention_dropout = 0;
  bool tied = false;  ///< the head uses the token embeddings
  nn::RotaryOptions rotary;
};
/// Throws UserError naming `where` and the key.
LlamaConfig llama_config(const Json& json, const std::string& where);

/// Where a pass over all layers stands.
struct LlamaPass {
  const PackedSequences& sequences;
  const Tensor& table;  ///< of rotary embeddings
  const nn::Mode& mode;
  TokenCache* cache;
};

/// x1 = x + output(attention(rotated(qkv(norm(x)))));  y = x1 + down(swiglu(gate_up(norm(x1)))).
class LlamaLayer {
 public:
  LlamaLayer(nn::ParameterScope scope, const LlamaConfig& config);
  /// x [T,H] -> [T,H].
  Tensor operator()(const Tensor& x, const LlamaPass& pass, size_t layer) const;

 private:
  int64_t heads_, key_heads_;
  nn::RmsNorm attention_norm_;
  nn::Linear qkv_, output_;
  nn::RmsNorm norm_;
  nn::Linear gate_up_, down_;
  nn::Dropout attention_dropout_;
};

class Llama final : public CausalNetwork {
 public:
  /// Throws UserError for a head other than none and causal_lm.
  Llama(nn::ParameterScope scope, const LlamaConfig& config, Head head);
  TokenCache new_cache(int64_t sequences, int64_t capacity, DType dtype) const override;

 private:
  Tensor forward(const PackedSequences& sequences, const nn::Mode& mode, TokenCache* cache) const override;

  LlamaConfig config_;
  nn::Embedding word_;
  std::vector<LlamaLayer> layers_;
  nn::RmsNorm norm_;
  nn::RotaryTable rotary_;
};

}  // namespace suanli::models
