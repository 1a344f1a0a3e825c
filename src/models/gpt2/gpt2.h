/// GPT-2 (Radford et al. 2019): learned positions, normalisation before each sublayer, a head tied to the embeddings.
#pragma once

#include <vector>

#include "models/causal.h"

namespace suanli::models {

struct Gpt2Config : ModelConfig {
  int64_t layers = 0, heads = 0, intermediate_size = 0;
  double layer_norm_eps = 1e-5, initializer_range = 0.02;
  float embedding_dropout = 0, attention_dropout = 0, residual_dropout = 0;
  bool tied = true;  ///< the head uses the token embeddings
  std::string activation;
};
/// Throws UserError naming `where` and the key.
Gpt2Config gpt2_config(const Json& json, const std::string& where);

/// x1 = x + dropout(output(attention(qkv(norm(x)))));  y = x1 + dropout(down(activation(up(norm(x1))))).
class Gpt2Layer {
 public:
  Gpt2Layer(nn::ParameterScope scope, const Gpt2Config& config);
  /// x [T,H] -> [T,H].
  Tensor operator()(const Tensor& x, const Tensor& offsets, const nn::Mode& mode, TokenCache* cache,
                    size_t layer) const;

 private:
  int64_t heads_;
  nn::LayerNorm attention_norm_;
  nn::Linear qkv_, output_;
  nn::LayerNorm norm_;
  nn::Linear up_, down_;
  ops::Activation activation_;
  nn::Dropout attention_dropout_, output_dropout_, down_dropout_;
};

class Gpt2 final : public CausalNetwork {
 public:
  /// Throws UserError for a head other than none and causal_lm.
  Gpt2(nn::ParameterScope scope, const Gpt2Config& config, Head head);
  TokenCache new_cache(int64_t sequences, int64_t capacity, DType dtype) const override;

 private:
  Tensor forward(const PackedSequences& sequences, const nn::Mode& mode, TokenCache* cache) const override;

  Gpt2Config config_;
  nn::Embedding word_, position_;
  nn::Dropout dropout_;
  std::vector<Gpt2Layer> layers_;
  nn::LayerNorm norm_;
};

}  // namespace suanli::models
