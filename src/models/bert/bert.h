/// The BERT encoder over packed sequences (Devlin et al. 2019; Liu et al. 2019; Sanh et al. 2019).
#pragma once

#include <vector>

#include "models/bert/config.h"
#include "models/sequences.h"
#include "nn/transformer.h"

namespace suanli::models {

class BertModel {
 public:
  BertModel(nn::ParameterScope scope, const BertConfig& config);
  /// The hidden states of all tokens, [T,H] in mode.dtype. Throws UserError when a sequence is longer than the position
  /// embeddings or an id is outside its table.
  Tensor forward(const PackedSequences& sequences, const nn::Mode& mode) const;
  /// The same where the tokens have the embeddings `word_vectors` [T,H] in place of their own.
  Tensor forward(const Tensor& word_vectors, const PackedSequences& sequences, const nn::Mode& mode) const;
  /// The word embeddings of the tokens, [T,H].
  Tensor word_vectors(const PackedSequences& sequences, DType dtype) const { return word_(sequences.ids, dtype); }
  /// Word embeddings [V,H], which the masked-LM decoder shares.
  const Tensor& word_embeddings() const { return word_.weight(); }
  /// Recompute each layer in backward instead of keeping what lies inside it (Chen et al. 2016).
  void set_gradient_checkpointing(bool on) { gradient_checkpointing_ = on; }

 private:
  Tensor embed(const Tensor& word_vectors, const PackedSequences& sequences, const nn::Mode& mode) const;

  BertConfig config_;
  nn::Embedding word_, position_;
  std::vector<nn::Embedding> type_;  // one, or none where the family has no token types
  nn::LayerNorm norm_;
  nn::Dropout dropout_;
  std::vector<nn::EncoderLayer> layers_;
  bool gradient_checkpointing_ = false;
};

}  // namespace suanli::models
