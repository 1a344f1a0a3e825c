/// The configuration of the BERT family as Hugging Face's config.json has it: BERT (and MiniLM), RoBERTa, DistilBERT.
#pragma once

#include <string>
#include <vector>

#include "models/config.h"
#include "nn/transformer.h"

namespace suanli::models {

enum class BertFamily { bert, roberta, distilbert };

struct BertConfig : ModelConfig {
  BertFamily family = BertFamily::bert;
  int64_t layers = 0, heads = 0, intermediate_size = 0;
  int64_t max_position_embeddings = 512;
  int64_t pad_token_id = 0;
  double layer_norm_eps = 1e-12, initializer_range = 0.02;
  float hidden_dropout = 0.1F, attention_dropout = 0.1F, classifier_dropout = 0.1F;
  float span_dropout = 0;  ///< before the head of question answering
  std::string hidden_act = "gelu";

  /// Number of the first position embedding in use (RoBERTa starts after the padding id).
  int64_t first_position() const { return family == BertFamily::roberta ? pad_token_id + 1 : 0; }
  nn::EncoderLayerOptions layer_options() const;
};

/// Reads a config.json. Throws UserError for another model_type, missing or impossible sizes, or what is not supported
/// (relative positions, cross-attention), naming the key.
BertConfig bert_config(const Json& json, const std::string& where);

/// "Bert", "Roberta" or "DistilBert": how transformers' class names begin.
std::string class_name(BertFamily family);

}  // namespace suanli::models
