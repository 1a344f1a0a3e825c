#include "models/bert/bert.h"

#include <algorithm>

#include "autograd/tape.h"
#include "ops/arithmetic.h"

namespace suanli::models {

BertModel::BertModel(nn::ParameterScope scope, const BertConfig& config)
    : config_(config),
      word_(scope / "embeddings.word", config.vocab_size, config.hidden_size, nn::normal(config.initializer_range)),
      position_(scope / "embeddings.position", config.max_position_embeddings, config.hidden_size,
                nn::normal(config.initializer_range)),
      norm_(scope / "embeddings.norm", config.hidden_size, config.layer_norm_eps),
      dropout_{config.hidden_dropout, scope.next_site()} {
  if (config.type_vocab_size > 0) {
    type_.emplace_back(scope / "embeddings.type", config.type_vocab_size, config.hidden_size,
                       nn::normal(config.initializer_range));
  }
  for (int64_t i = 0; i < config.layers; ++i) {
    layers_.emplace_back(scope / ("layer." + std::to_string(i)), config.layer_options());
  }
}

Tensor BertModel::embed(const Tensor& word_vectors, const PackedSequences& sequences, const nn::Mode& mode) const {
  const Tensor positions = sequences.positions.on({});
  for (const int32_t place : positions.host<int32_t>()) {
    if (place >= config_.longest_sequence) {
      throw UserError("bert", "expected sequences of at most " + std::to_string(config_.longest_sequence) +
                                  " tokens, got " + std::to_string(place + 1) + "; set max_seq_length");
    }
  }
  Tensor sum = ops::add(word_vectors, position_(sequences.positions, mode.dtype, config_.first_position()));
  if (!type_.empty()) sum = ops::add(sum, type_.front()(sequences.types, mode.dtype));
  return dropout_(norm_(sum), mode);
}

Tensor BertModel::forward(const PackedSequences& sequences, const nn::Mode& mode) const {
  return forward(word_vectors(sequences, mode.dtype), sequences, mode);
}

Tensor BertModel::forward(const Tensor& word_vectors, const PackedSequences& sequences, const nn::Mode& mode) const {
  Tensor x = embed(word_vectors, sequences, mode);
  for (const nn::EncoderLayer& layer : layers_) {
    const auto run = [&layer, offsets = sequences.offsets, mode](const Tensor& input) {
      return layer(input, offsets, mode);
    };
    x = gradient_checkpointing_ ? recompute(run, x) : run(x);
  }
  return x;
}

}  // namespace suanli::models
