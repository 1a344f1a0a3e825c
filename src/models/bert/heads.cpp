#include "models/bert/heads.h"

#include "ops/activation.h"
#include "ops/cast.h"
#include "ops/embedding.h"

namespace suanli::models {

namespace {

nn::Linear new_linear(nn::ParameterScope scope, const BertConfig& config, int64_t out) {
  return nn::Linear(scope, config.hidden_size, out, nn::normal(config.initializer_range), nn::zeros());
}

}  // namespace

MaskedLmHead::MaskedLmHead(nn::ParameterScope scope, const BertConfig& config, const Tensor& word_embeddings)
    : dense_(new_linear(scope / "dense", config, config.hidden_size)),
      norm_(scope / "norm", config.hidden_size, config.layer_norm_eps),
      decoder_(word_embeddings),
      bias_(scope.get("bias", {config.vocab_size}, nn::zeros())),
      activation_(nn::activation_named(config.family == BertFamily::roberta ? "gelu" : config.hidden_act)) {}

VocabularyHead MaskedLmHead::operator()(const Tensor& x, const nn::Mode& mode) const {
  return {norm_(ops::activate(activation_, dense_(x, mode))), decoder_, bias_};
}

SequenceClassificationHead::SequenceClassificationHead(nn::ParameterScope scope, const BertConfig& config)
    : family_(config.family),
      dense_(new_linear(family_ == BertFamily::bert ? scope / "pooler" : scope / "classifier.dense", config,
                        config.hidden_size)),
      output_(new_linear(family_ == BertFamily::roberta ? scope / "classifier.output" : scope / "classifier", config,
                         label_count(config))),
      before_{family_ == BertFamily::roberta ? config.classifier_dropout : 0.0F, scope.next_site()},
      after_{config.classifier_dropout, scope.next_site()} {}

Tensor SequenceClassificationHead::operator()(const Tensor& x, const nn::Mode& mode) const {
  const Tensor dense = dense_(before_(x, mode), mode);
  const Tensor pooled = family_ == BertFamily::distilbert ? ops::relu(dense) : ops::tanh(dense);
  return ops::cast(output_(after_(pooled, mode), mode), DType::f32);
}

TokenClassificationHead::TokenClassificationHead(nn::ParameterScope scope, const BertConfig& config)
    : output_(new_linear(scope / "classifier", config, label_count(config))),
      dropout_{config.family == BertFamily::distilbert ? config.hidden_dropout : config.classifier_dropout,
               scope.next_site()} {}

Tensor TokenClassificationHead::operator()(const Tensor& x, const nn::Mode& mode) const {
  return ops::cast(output_(dropout_(x, mode), mode), DType::f32);
}

QuestionAnsweringHead::QuestionAnsweringHead(nn::ParameterScope scope, const BertConfig& config)
    : output_(new_linear(scope / "qa_outputs", config, 2)), dropout_{config.span_dropout, scope.next_site()} {}

Tensor QuestionAnsweringHead::operator()(const Tensor& x, const nn::Mode& mode) const {
  return ops::cast(output_(dropout_(x, mode), mode), DType::f32);
}

BertWithHead::BertWithHead(nn::ParameterScope scope, const BertConfig& config, Head head) : encoder_(scope, config) {
  if (head == Head::masked_lm) masked_lm_.emplace(scope / "masked_lm", config, encoder_.word_embeddings());
  if (head == Head::sequence_classification) sequence_.emplace(scope, config);
  if (head == Head::token_classification) token_.emplace(scope, config);
  if (head == Head::question_answering) question_.emplace(scope, config);
  if (head == Head::causal_lm || head == Head::image_classification || head == Head::semantic_segmentation ||
      head == Head::object_detection || head == Head::image_generation || head == Head::image_super_resolution ||
      head == Head::keypoint_detection) {
    throw UserError("model",
                    "expected a task of texts that are read from both sides, such as masked-lm or "
                    "text-classification, for an encoder");
  }
}

Tensor BertWithHead::hidden_states(const PackedSequences& sequences, const nn::Mode& mode) const {
  return encoder_.forward(sequences, mode);
}

VocabularyHead BertWithHead::masked_lm_head(const PackedSequences& sequences, const Tensor& rows,
                                            const nn::Mode& mode) const {
  if (!masked_lm_) return Network::masked_lm_head(sequences, rows, mode);
  return (*masked_lm_)(ops::index_select(hidden_states(sequences, mode), rows), mode);
}

Tensor BertWithHead::sequence_logits(const PackedSequences& sequences, const nn::Mode& mode) const {
  if (!sequence_) return Network::sequence_logits(sequences, mode);
  return (*sequence_)(ops::index_select(hidden_states(sequences, mode), first_tokens(sequences)), mode);
}

Tensor BertWithHead::word_vectors(const PackedSequences& sequences) const {
  return encoder_.word_vectors(sequences, DType::f32);
}

Tensor BertWithHead::sequence_logits_of(const Tensor& word_vectors, const PackedSequences& sequences,
                                        const nn::Mode& mode) const {
  if (!sequence_) return Network::sequence_logits_of(word_vectors, sequences, mode);
  const Tensor hidden = encoder_.forward(ops::cast(word_vectors, mode.dtype), sequences, mode);
  return (*sequence_)(ops::index_select(hidden, first_tokens(sequences)), mode);
}

Tensor BertWithHead::token_logits(const PackedSequences& sequences, const nn::Mode& mode) const {
  if (!token_) return Network::token_logits(sequences, mode);
  return (*token_)(hidden_states(sequences, mode), mode);
}

Tensor BertWithHead::span_logits(const PackedSequences& sequences, const nn::Mode& mode) const {
  if (!question_) return Network::span_logits(sequences, mode);
  return (*question_)(hidden_states(sequences, mode), mode);
}

}  // namespace suanli::models
