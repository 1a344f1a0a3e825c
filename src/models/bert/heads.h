/// What stands on a BERT encoder: masked-language model, classifier of sequences, classifier of tokens.
#pragma once

#include <optional>

#include "models/bert/bert.h"
#include "models/network.h"

namespace suanli::models {

/// logits = norm(activation(dense(x))) word_embeddings^T + bias, on the masked rows alone.
class MaskedLmHead {
 public:
  MaskedLmHead(nn::ParameterScope scope, const BertConfig& config, const Tensor& word_embeddings);
  /// Of x [M,H], the hidden states of M masked tokens.
  VocabularyHead operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  nn::Linear dense_;
  nn::LayerNorm norm_;
  Tensor decoder_, bias_;
  ops::Activation activation_;
};

/// The classifier of each family: BERT's pooler (dense, tanh) before dropout and a linear layer; RoBERTa's dropout,
/// dense, tanh, dropout, linear; DistilBERT's dense, ReLU, dropout, linear.
class SequenceClassificationHead {
 public:
  SequenceClassificationHead(nn::ParameterScope scope, const BertConfig& config);
  /// x [B,H], the hidden states of the first tokens -> logits [B, labels] f32.
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  BertFamily family_;
  nn::Linear dense_, output_;
  nn::Dropout before_, after_;
};

/// logits = linear(dropout(x)).
class TokenClassificationHead {
 public:
  TokenClassificationHead(nn::ParameterScope scope, const BertConfig& config);
  /// x [T,H] -> logits [T, labels] f32.
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  nn::Linear output_;
  nn::Dropout dropout_;
};

/// logits = linear(x), of DistilBERT linear(dropout(x)): for each token whether an answer starts there, and whether one
/// ends.
class QuestionAnsweringHead {
 public:
  QuestionAnsweringHead(nn::ParameterScope scope, const BertConfig& config);
  /// x [T,H] -> logits [T, 2] f32.
  Tensor operator()(const Tensor& x, const nn::Mode& mode) const;

 private:
  nn::Linear output_;
  nn::Dropout dropout_;
};

/// An encoder with at most one head.
class BertWithHead final : public Network {
 public:
  /// Throws UserError for a head that the family does not have.
  BertWithHead(nn::ParameterScope scope, const BertConfig& config, Head head);
  Tensor hidden_states(const PackedSequences& sequences, const nn::Mode& mode) const override;
  VocabularyHead masked_lm_head(const PackedSequences& sequences, const Tensor& rows,
                                const nn::Mode& mode) const override;
  Tensor sequence_logits(const PackedSequences& sequences, const nn::Mode& mode) const override;
  Tensor word_vectors(const PackedSequences& sequences) const override;
  Tensor sequence_logits_of(const Tensor& word_vectors, const PackedSequences& sequences,
                            const nn::Mode& mode) const override;
  Tensor token_logits(const PackedSequences& sequences, const nn::Mode& mode) const override;
  Tensor span_logits(const PackedSequences& sequences, const nn::Mode& mode) const override;
  void set_gradient_checkpointing(bool on) override { encoder_.set_gradient_checkpointing(on); }

 private:
  BertModel encoder_;
  std::optional<MaskedLmHead> masked_lm_;
  std::optional<SequenceClassificationHead> sequence_;
  std::optional<TokenClassificationHead> token_;
  std::optional<QuestionAnsweringHead> question_;
};

}  // namespace suanli::models
