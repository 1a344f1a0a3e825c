/// The configuration of recurrent classifiers of texts; config.json is of our own, its keys those of torch.nn.LSTM.
#pragma once

#include <string>

#include "models/config.h"
#include "nn/recurrence.h"

namespace suanli::models {

enum class Pooling { last, mean };

/// "model_type": "lstm", "gru" or "rnn"; vocab_size, hidden_size; embedding_dim (hidden_size), num_layers (1),
/// bidirectional (false), dropout (0: between layers and before the classifier), nonlinearity of an rnn ("tanh" or
/// "relu"), pooling ("last" states of both directions, or the "mean" over all tokens).
struct RecurrentConfig : ModelConfig {
  nn::RecurrenceOptions recurrence = {};
  int64_t embedding_dim = 0;
  Pooling pooling = Pooling::last;
};

/// Reads a config.json. Throws UserError naming the key that is missing, impossible or not known.
RecurrentConfig recurrent_config(const Json& json, const std::string& where);

}  // namespace suanli::models
