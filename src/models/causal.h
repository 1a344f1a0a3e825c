/// What networks that write text share, whatever their layers: the head over the vocabulary, and who asks for what.
#pragma once

#include "models/config.h"
#include "models/network.h"
#include "nn/layers.h"

namespace suanli::models {

class CausalNetwork : public Network {
 public:
  Tensor hidden_states(const PackedSequences& sequences, const nn::Mode& mode) const override;
  Tensor next_token_logits(const PackedSequences& sequences, const Tensor& rows, const nn::Mode& mode,
                           TokenCache* cache) const override;
  VocabularyHead next_token_head(const PackedSequences& sequences, const Tensor& rows,
                                 const nn::Mode& mode) const override;
  void set_gradient_checkpointing(bool on) override { gradient_checkpointing_ = on; }

 protected:
  /// The last hidden states [T,H] of whole sequences, or of new tokens that `cache` takes in.
  virtual Tensor forward(const PackedSequences& sequences, const nn::Mode& mode, TokenCache* cache) const = 0;
  bool gradient_checkpointing() const { return gradient_checkpointing_; }

  struct HeadOptions {
    bool tied = false;  ///< the head uses the token embeddings
    double initializer_range = 0.02;
  };
  /// Makes the head over the embeddings `word`, or none. Throws UserError that names `family` for a head other than
  /// none and causal_lm.
  void make_head(nn::ParameterScope scope, Head head, const nn::Embedding& word, const HeadOptions& options,
                 const char* family);

 private:
  Tensor head_;  // undefined without the head, or where it is held in 8 bits
  ops::QuantizedWeight quantized_head_;
  bool gradient_checkpointing_ = false;
};

/// One layer after another under "layer.0", "layer.1", ...
template <class Layer, class Config>
std::vector<Layer> numbered_layers(nn::ParameterScope scope, const Config& config) {
  std::vector<Layer> layers;
  for (int64_t i = 0; i < config.layers; ++i) layers.emplace_back(scope / ("layer." + std::to_string(i)), config);
  return layers;
}

}  // namespace suanli::models
