/// A classifier of texts by recurrence: embedding, layers of cells, a linear layer over the pooled states.
#pragma once

#include <optional>

#include "models/network.h"
#include "models/recurrent/config.h"
#include "nn/layers.h"

namespace suanli::models {

class Recurrent final : public Network {
 public:
  /// Throws UserError for a head other than none and sequence_classification.
  Recurrent(nn::ParameterScope scope, const RecurrentConfig& config, Head head);
  /// [T, D H]: the states of the last layer after each token.
  Tensor hidden_states(const PackedSequences& sequences, const nn::Mode& mode) const override;
  Tensor sequence_logits(const PackedSequences& sequences, const nn::Mode& mode) const override;
  bool lengths_decide_launches() const override { return true; }

 private:
  nn::Recurrence::Output run(const PackedSequences& sequences, const nn::Mode& mode) const;

  Pooling pooling_;
  nn::Embedding embedding_;
  nn::Recurrence rnn_;
  nn::Dropout dropout_;
  std::optional<nn::Linear> classifier_;
};

}  // namespace suanli::models
