/// The configuration of the BERT family as Hugging Face's config.json has it: BERT (and MiniLM), RoBERTa, DistilBERT.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "nn/transformer.h"

namespace suanli::models {

enum class BertFamily { bert, roberta, distilbert };

/// What stands on the encoder.
enum class Head { none, masked_lm, sequence_classification, token_classification };

struct BertConfig {
  BertFamily family = BertFamily::bert;
  int64_t vocab_size = 0, hidden_size = 0, layers = 0, heads = 0, intermediate_size = 0;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;  ///< 0: no token types
  int64_t pad_token_id = 0;
  double layer_norm_eps = 1e-12, initializer_range = 0.02;
  float hidden_dropout = 0.1F, attention_dropout = 0.1F, classifier_dropout = 0.1F;
  std::string hidden_act = "gelu";
  std::vector<std::string> labels;  ///< id2label, in order of id
  std::string problem_type;         ///< "", "regression", "single_label_classification", "multi_label_classification"
  Json json;                        ///< the file as it was read: unknown keys survive a round trip

  /// Longest sequence that has position embeddings.
  int64_t longest_sequence() const;
  /// Number of the first position embedding in use (RoBERTa starts after the padding id).
  int64_t first_position() const { return family == BertFamily::roberta ? pad_token_id + 1 : 0; }
  nn::EncoderLayerOptions layer_options() const;
};

/// Reads a config.json. Throws UserError for another model_type, missing or impossible sizes, or what is not supported
/// (relative positions, cross-attention), naming the key.
BertConfig bert_config(const Json& json, const std::string& where);

/// The config.json of a model with `head`: architectures, labels and problem type as transformers writes them.
Json to_json(const BertConfig& config, Head head);

}  // namespace suanli::models
