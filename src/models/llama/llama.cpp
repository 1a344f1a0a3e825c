#include "models/llama/llama.h"

#include "autograd/tape.h"
#include "ops/arithmetic.h"
#include "ops/rotary_embedding.h"
#include "ops/swiglu.h"

namespace suanli::models {

namespace {

nn::Linear new_linear(nn::ParameterScope scope, const LlamaConfig& config, int64_t in, int64_t out) {
  return nn::Linear(scope, in, out, nn::normal(config.initializer_range), nullptr);
}

/// rope_parameters of transformers 5, or rope_theta and rope_scaling of those before.
nn::RotaryOptions rotary_options(const Json& json, int64_t head_size, const std::string& where) {
  nn::RotaryOptions options = {.head_size = head_size};
  options.theta = json_get_or<double>(json, "rope_theta", 10000, where);
  options.original_positions = json_get<int64_t>(json, "max_position_embeddings", where);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!json.contains(key) || json[key].is_null()) continue;
    const Json& given = json[key];
    const std::string place = where + " " + key;
    options.theta = json_get_or<double>(given, "rope_theta", options.theta, place);
    options.type =
        json_get_or<std::string>(given, "rope_type", json_get_or<std::string>(given, "type", "default", place), place);
    options.factor = json_get_or<double>(given, "factor", 1, place);
    options.low_freq_factor = json_get_or<double>(given, "low_freq_factor", 1, place);
    options.high_freq_factor = json_get_or<double>(given, "high_freq_factor", 4, place);
    options.original_positions =
        json_get_or<int64_t>(given, "original_max_position_embeddings", options.original_positions, place);
  }
  if (!(options.theta > 0) || !(options.factor > 0) || !(options.high_freq_factor > options.low_freq_factor)) {
    throw UserError(where, "expected a positive rope_theta and factor, and a high_freq_factor above low_freq_factor");
  }
  nn::rotary_frequencies(options);  // an unknown type fails here
  return options;
}

}  // namespace

LlamaConfig llama_config(const Json& json, const std::string& where) {
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    if (json_get_or<bool>(json, key, false, where)) {
      throw UserError(where, std::string("expected \"") + key + "\": false, got true, which is not supported");
    }
  }
  const auto activation = json_get_or<std::string>(json, "hidden_act", "silu", where);
  if (activation != "silu") throw UserError(where, "expected \"hidden_act\": \"silu\", got \"" + activation + "\"");
  LlamaConfig config;
  config.json = json;
  config.vocab_size = config_size(json, "vocab_size", 1, where);
  config.hidden_size = config_size(json, "hidden_size", 1, where);
  config.longest_sequence = config_size(json, "max_position_embeddings", 1, where);
  config.layers = config_size(json, "num_hidden_layers", 0, where);
  config.heads = config_size(json, "num_attention_heads", 1, where);
  config.key_heads = json_get_or<int64_t>(json, "num_key_value_heads", config.heads, where);
  config.head_size = json_get_or<int64_t>(json, "head_dim", config.hidden_size / config.heads, where);
  config.intermediate_size = config_size(json, "intermediate_size", 1, where);
  config.rms_norm_eps = json_get_or<double>(json, "rms_norm_eps", 1e-6, where);
  config.initializer_range = json_get_or<double>(json, "initializer_range", 0.02, where);
  config.attention_dropout = config_probability(json, "attention_dropout", 0, where);
  config.tied = json_get_or<bool>(json, "tie_word_embeddings", false, where);
  if (config.key_heads < 1 || config.heads % config.key_heads != 0 || config.head_size < 2 ||
      config.head_size % 2 != 0 || config.head_size > int64_t{1} << 16) {
    throw UserError(
        where, "expected \"num_key_value_heads\" to divide \"num_attention_heads\" and an even \"head_dim\", got " +
                   std::to_string(config.key_heads) + ", " + std::to_string(config.heads) + " and " +
                   std::to_string(config.head_size));
  }
  config.rotary = rotary_options(json, config.head_size, where);
  return config;
}

LlamaLayer::LlamaLayer(nn::ParameterScope scope, const LlamaConfig& c)
    : heads_(c.heads),
      key_heads_(c.key_heads),
      attention_norm_(scope / "attention.norm", c.hidden_size, c.rms_norm_eps),
      qkv_(new_linear(scope / "attention.qkv", c, c.hidden_size, (c.heads + 2 * c.key_heads) * c.head_size)),
      output_(new_linear(scope / "attention.output", c, c.heads * c.head_size, c.hidden_size)),
      norm_(scope / "norm", c.hidden_size, c.rms_norm_eps),
      gate_up_(new_linear(scope / "gate_up", c, c.hidden_size, 2 * c.intermediate_size)),
      down_(new_linear(scope / "down", c, c.intermediate_size, c.hidden_size)),
      attention_dropout_{c.attention_dropout, scope.next_site()} {}

Tensor LlamaLayer::operator()(const Tensor& x, const LlamaPass& pass, size_t layer) const {
  const Tensor qkv = ops::rotary_embedding(qkv_(attention_norm_(x), pass.mode), pass.sequences.positions, pass.table,
                                           heads_ + key_heads_);
  const Tensor attended = causal_attention(qkv, pass.sequences.offsets, heads_, key_heads_,
                                           attention_dropout_.key(pass.mode), pass.cache, layer);
  const Tensor sum = ops::add(x, output_(attended, pass.mode));
  return ops::add(sum, down_(ops::swiglu(gate_up_(norm_(sum), pass.mode)), pass.mode));
}

Llama::Llama(nn::ParameterScope scope, const LlamaConfig& c, Head head)
    : config_(c),
      word_(scope / "embeddings.word", c.vocab_size, c.hidden_size, nn::normal(c.initializer_range)),
      layers_(numbered_layers<LlamaLayer>(scope, c)),
      norm_(scope / "norm", c.hidden_size, c.rms_norm_eps),
      rotary_(c.rotary, word_.weight().device()) {
  make_head(scope, head, word_, {.tied = c.tied, .initializer_range = c.initializer_range}, "Llama");
}

Tensor Llama::forward(const PackedSequences& sequences, const nn::Mode& mode, TokenCache* cache) const {
  const Tensor& table = rotary_.of(position_count(sequences, config_.longest_sequence, "llama"));
  Tensor x = word_(sequences.ids, mode.dtype);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const auto run = [&layer = layers_[i], sequences, table, mode, cache, i](const Tensor& input) {
      return layer(input, {sequences, table, mode, cache}, i);
    };
    x = gradient_checkpointing() ? recompute(run, x) : run(x);
  }
  if (cache != nullptr) cache->advance(sequences.offsets);
  return norm_(x);
}

TokenCache Llama::new_cache(int64_t sequences, int64_t capacity, DType dtype) const {
  return TokenCache({.layers = config_.layers,
                     .sequences = sequences,
                     .key_heads = config_.key_heads,
                     .capacity = capacity,
                     .head_size = config_.head_size,
                     .dtype = dtype,
                     .device = word_.weight().device()});
}

}  // namespace suanli::models
