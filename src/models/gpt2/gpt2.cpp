#include "models/gpt2/gpt2.h"

#include <cmath>

#include "autograd/tape.h"
#include "ops/arithmetic.h"

namespace suanli::models {

namespace {

/// Weights that end on the residual stream start smaller, by the square root of how many there are.
nn::Initializer of_residual(const Gpt2Config& config) {
  return nn::normal(config.initializer_range / std::sqrt(2.0 * static_cast<double>(config.layers)));
}

}  // namespace

Gpt2Config gpt2_config(const Json& json, const std::string& where) {
  for (const char* key : {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"}) {
    if (json_get_or<bool>(json, key, false, where)) {
      throw UserError(where, std::string("expected \"") + key + "\": false, got true, which is not supported");
    }
  }
  Gpt2Config config;
  config.json = json;
  config.vocab_size = config_size(json, "vocab_size", 1, where);
  config.hidden_size = config_size(json, "n_embd", 1, where);
  config.longest_sequence = config_size(json, "n_positions", 1, where);
  config.layers = config_size(json, "n_layer", 0, where);
  config.heads = config_size(json, "n_head", 1, where);
  config.intermediate_size = json_get_or<int64_t>(json, "n_inner", 4 * config.hidden_size, where);
  config.layer_norm_eps = json_get_or<double>(json, "layer_norm_epsilon", 1e-5, where);
  config.initializer_range = json_get_or<double>(json, "initializer_range", 0.02, where);
  config.embedding_dropout = config_probability(json, "embd_pdrop", 0.1, where);
  config.attention_dropout = config_probability(json, "attn_pdrop", 0.1, where);
  config.residual_dropout = config_probability(json, "resid_pdrop", 0.1, where);
  config.tied = json_get_or<bool>(json, "tie_word_embeddings", true, where);
  config.activation = json_get_or<std::string>(json, "activation_function", "gelu_new", where);
  if (config.hidden_size % config.heads != 0 || config.intermediate_size < 1) {
    throw UserError(where, "expected \"n_embd\" to be a multiple of \"n_head\" and \"n_inner\" of at least 1, got " +
                               std::to_string(config.hidden_size) + ", " + std::to_string(config.heads) + " and " +
                               std::to_string(config.intermediate_size));
  }
  nn::activation_named(config.activation);  // an unknown name fails here, not in the first batch
  return config;
}

Gpt2Layer::Gpt2Layer(nn::ParameterScope scope, const Gpt2Config& c)
    : heads_(c.heads),
      attention_norm_(scope / "attention.norm", c.hidden_size, c.layer_norm_eps),
      qkv_(scope / "attention.qkv", c.hidden_size, 3 * c.hidden_size, nn::normal(c.initializer_range), nn::zeros()),
      output_(scope / "attention.output", c.hidden_size, c.hidden_size, of_residual(c), nn::zeros()),
      norm_(scope / "norm", c.hidden_size, c.layer_norm_eps),
      up_(scope / "up", c.hidden_size, c.intermediate_size, nn::normal(c.initializer_range), nn::zeros()),
      down_(scope / "down", c.intermediate_size, c.hidden_size, of_residual(c), nn::zeros()),
      activation_(nn::activation_named(c.activation)),
      attention_dropout_{c.attention_dropout, scope.next_site()},
      output_dropout_{c.residual_dropout, scope.next_site()},
      down_dropout_{c.residual_dropout, scope.next_site()} {}

Tensor Gpt2Layer::operator()(const Tensor& x, const Tensor& offsets, const nn::Mode& mode, TokenCache* cache,
                             size_t layer) const {
  const Tensor attended = causal_attention(qkv_(attention_norm_(x), mode), offsets, heads_, heads_,
                                           attention_dropout_.key(mode), cache, layer);
  const Tensor sum = ops::add(x, output_dropout_(output_(attended, mode), mode));
  return ops::add(sum, down_dropout_(feed_forward(norm_(sum), up_, activation_, down_, mode), mode));
}

Gpt2::Gpt2(nn::ParameterScope scope, const Gpt2Config& c, Head head)
    : config_(c),
      word_(scope / "embeddings.word", c.vocab_size, c.hidden_size, nn::normal(c.initializer_range)),
      position_(scope / "embeddings.position", c.longest_sequence, c.hidden_size, nn::normal(c.initializer_range)),
      dropout_{c.embedding_dropout, scope.next_site()},
      layers_(numbered_layers<Gpt2Layer>(scope, c)),
      norm_(scope / "norm", c.hidden_size, c.layer_norm_eps) {
  make_head(scope, head, word_, {.tied = c.tied, .initializer_range = c.initializer_range}, "GPT-2");
}

Tensor Gpt2::forward(const PackedSequences& sequences, const nn::Mode& mode, TokenCache* cache) const {
  position_count(sequences, config_.longest_sequence, "gpt2");
  Tensor x = dropout_(ops::add(word_(sequences.ids, mode.dtype), position_(sequences.positions, mode.dtype)), mode);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const auto run = [&layer = layers_[i], offsets = sequences.offsets, mode, cache, i](const Tensor& input) {
      return layer(input, offsets, mode, cache, i);
    };
    x = gradient_checkpointing() ? recompute(run, x) : run(x);
  }
  if (cache != nullptr) cache->advance(sequences.offsets);
  return norm_(x);
}

TokenCache Gpt2::new_cache(int64_t sequences, int64_t capacity, DType dtype) const {
  return TokenCache({.layers = config_.layers,
                     .sequences = sequences,
                     .key_heads = config_.heads,
                     .capacity = capacity,
                     .head_size = config_.hidden_size / config_.heads,
                     .dtype = dtype,
                     .device = word_.weight().device()});
}

}  // namespace suanli::models
