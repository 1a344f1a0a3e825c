#include "models/bert/config.h"

#include <algorithm>
#include <map>

namespace suanli::models {

namespace {

/// Hugging Face's key for each size, in the words of each family.
struct Keys {
  const char *hidden, *layers, *heads, *intermediate, *activation, *hidden_dropout, *attention_dropout;
};
constexpr Keys kBertKeys = {"hidden_size", "num_hidden_layers",   "num_attention_heads",         "intermediate_size",
                            "hidden_act",  "hidden_dropout_prob", "attention_probs_dropout_prob"};
constexpr Keys kDistilbertKeys = {"dim",        "n_layers", "n_heads",          "hidden_dim",
                                  "activation", "dropout",  "attention_dropout"};

const std::map<std::string, BertFamily> kFamilies = {
    {"bert", BertFamily::bert}, {"roberta", BertFamily::roberta}, {"distilbert", BertFamily::distilbert}};

void refuse_unsupported(const Json& json, const std::string& where) {
  const auto position = json_get_or<std::string>(json, "position_embedding_type", "absolute", where);
  if (position != "absolute") {
    throw UserError(where, "expected \"position_embedding_type\": \"absolute\", got \"" + position + "\"");
  }
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (json_get_or<bool>(json, key, false, where)) {
      throw UserError(where, std::string("expected \"") + key + "\": false; decoders are another family");
    }
  }
}

}  // namespace

nn::EncoderLayerOptions BertConfig::layer_options() const {
  return {.hidden = hidden_size,
          .heads = heads,
          .intermediate = intermediate_size,
          .norm_eps = layer_norm_eps,
          .dropout = hidden_dropout,
          .attention_dropout = attention_dropout,
          .initializer_range = initializer_range,
          .activation = nn::activation_named(hidden_act)};
}

BertConfig bert_config(const Json& json, const std::string& where) {
  const auto type = json_get<std::string>(json, "model_type", where);
  const auto family = kFamilies.find(type);
  if (family == kFamilies.end()) {
    throw UserError(where, "expected \"model_type\" bert, roberta or distilbert, got \"" + type + "\"");
  }
  refuse_unsupported(json, where);

  BertConfig config;
  config.json = json;
  config.family = family->second;
  const bool distilbert = config.family == BertFamily::distilbert;
  const Keys& keys = distilbert ? kDistilbertKeys : kBertKeys;
  config.vocab_size = config_size(json, "vocab_size", 1, where);
  config.hidden_size = config_size(json, keys.hidden, 1, where);
  config.layers = config_size(json, keys.layers, 0, where);
  config.heads = config_size(json, keys.heads, 1, where);
  config.intermediate_size = config_size(json, keys.intermediate, 1, where);
  config.max_position_embeddings = config_size(json, "max_position_embeddings", 1, where);
  config.type_vocab_size = distilbert ? 0 : json_get_or<int64_t>(json, "type_vocab_size", 2, where);
  config.pad_token_id = json_get_or<int64_t>(json, "pad_token_id", config.family == BertFamily::roberta ? 1 : 0, where);
  config.layer_norm_eps = json_get_or<double>(json, "layer_norm_eps", 1e-12, where);
  config.initializer_range = json_get_or<double>(json, "initializer_range", 0.02, where);
  config.hidden_act = json_get_or<std::string>(json, keys.activation, "gelu", where);
  config.hidden_dropout = config_probability(json, keys.hidden_dropout, 0.1, where);
  config.attention_dropout = config_probability(json, keys.attention_dropout, 0.1, where);
  config.classifier_dropout = distilbert ? config_probability(json, "seq_classif_dropout", 0.2, where)
                                         : config_probability(json, "classifier_dropout", config.hidden_dropout, where);
  config.span_dropout = distilbert ? config_probability(json, "qa_dropout", 0.1, where) : 0.0F;
  config.labels = config_labels(json, where);
  config.problem_type = json_get_or<std::string>(json, "problem_type", "", where);
  if (config.hidden_size % config.heads != 0) {
    throw UserError(where, std::string("expected \"") + keys.hidden + "\" to be a multiple of \"" + keys.heads +
                               "\", got " + std::to_string(config.hidden_size) + " and " +
                               std::to_string(config.heads));
  }
  config.longest_sequence = config.max_position_embeddings - config.first_position();
  if (config.longest_sequence < 1 || config.type_vocab_size < 0 || config.pad_token_id < 0) {
    throw UserError(where,
                    "expected room for at least one position, and \"type_vocab_size\" and \"pad_token_id\" of at "
                    "least 0");
  }
  nn::activation_named(config.hidden_act);  // an unknown name fails here, not in the first batch
  return config;
}

std::string class_name(BertFamily family) {
  return family == BertFamily::bert ? "Bert" : family == BertFamily::roberta ? "Roberta" : "DistilBert";
}

}  // namespace suanli::models
