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

int64_t size(const Json& json, const char* key, int64_t least, const std::string& where) {
  const auto value = json_get<int64_t>(json, key, where);
  if (value < least || value > int64_t{1} << 31) {
    throw UserError(where, std::string("expected \"") + key + "\" in " + std::to_string(least) + "..2^31, got " +
                               std::to_string(value));
  }
  return value;
}

float probability(const Json& json, const char* key, double otherwise, const std::string& where) {
  const auto value = json_get_or<double>(json, key, otherwise, where);
  if (!(value >= 0 && value < 1)) {
    throw UserError(where, std::string("expected \"") + key + "\" in [0, 1), got " + std::to_string(value));
  }
  return static_cast<float>(value);
}

std::vector<std::string> read_labels(const Json& json, const std::string& where) {
  std::vector<std::string> labels;
  if (json.contains("id2label") && !json["id2label"].is_null()) {
    const Json& table = json["id2label"];
    for (size_t id = 0; id < table.size(); ++id) {
      labels.push_back(json_get<std::string>(table, std::to_string(id), where + " id2label"));
    }
  } else if (json.contains("num_labels")) {
    for (int64_t id = 0; id < size(json, "num_labels", 1, where); ++id) labels.push_back("LABEL_" + std::to_string(id));
  } else {  // transformers 5 leaves out what is its default
    const auto names = json_get_or<std::vector<std::string>>(json, "architectures", {}, where);
    if (!names.empty() && names.front().ends_with("Classification")) labels = {"LABEL_0", "LABEL_1"};
  }
  return labels;
}

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

int64_t BertConfig::longest_sequence() const { return max_position_embeddings - first_position(); }

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
  config.vocab_size = size(json, "vocab_size", 1, where);
  config.hidden_size = size(json, keys.hidden, 1, where);
  config.layers = size(json, keys.layers, 0, where);
  config.heads = size(json, keys.heads, 1, where);
  config.intermediate_size = size(json, keys.intermediate, 1, where);
  config.max_position_embeddings = size(json, "max_position_embeddings", 1, where);
  config.type_vocab_size = distilbert ? 0 : json_get_or<int64_t>(json, "type_vocab_size", 2, where);
  config.pad_token_id = json_get_or<int64_t>(json, "pad_token_id", config.family == BertFamily::roberta ? 1 : 0, where);
  config.layer_norm_eps = json_get_or<double>(json, "layer_norm_eps", 1e-12, where);
  config.initializer_range = json_get_or<double>(json, "initializer_range", 0.02, where);
  config.hidden_act = json_get_or<std::string>(json, keys.activation, "gelu", where);
  config.hidden_dropout = probability(json, keys.hidden_dropout, 0.1, where);
  config.attention_dropout = probability(json, keys.attention_dropout, 0.1, where);
  config.classifier_dropout = distilbert ? probability(json, "seq_classif_dropout", 0.2, where)
                                         : probability(json, "classifier_dropout", config.hidden_dropout, where);
  config.labels = read_labels(json, where);
  config.problem_type = json_get_or<std::string>(json, "problem_type", "", where);
  if (config.hidden_size % config.heads != 0) {
    throw UserError(where, std::string("expected \"") + keys.hidden + "\" to be a multiple of \"" + keys.heads +
                               "\", got " + std::to_string(config.hidden_size) + " and " +
                               std::to_string(config.heads));
  }
  if (config.longest_sequence() < 1 || config.type_vocab_size < 0 || config.pad_token_id < 0) {
    throw UserError(where,
                    "expected room for at least one position, and \"type_vocab_size\" and \"pad_token_id\" of at "
                    "least 0");
  }
  nn::activation_named(config.hidden_act);  // an unknown name fails here, not in the first batch
  return config;
}

Json to_json(const BertConfig& config, Head head) {
  static const std::map<BertFamily, std::string> kClass = {
      {BertFamily::bert, "Bert"}, {BertFamily::roberta, "Roberta"}, {BertFamily::distilbert, "DistilBert"}};
  static const std::map<Head, std::string> kSuffix = {{Head::none, "Model"},
                                                      {Head::masked_lm, "ForMaskedLM"},
                                                      {Head::sequence_classification, "ForSequenceClassification"},
                                                      {Head::token_classification, "ForTokenClassification"}};
  Json json = config.json;
  json["architectures"] = {kClass.at(config.family) + kSuffix.at(head)};
  for (const char* key : {"torch_dtype", "_name_or_path", "num_labels"}) json.erase(key);
  json["dtype"] = "float32";
  if (!config.labels.empty()) {
    Json id2label = Json::object(), label2id = Json::object();
    for (size_t id = 0; id < config.labels.size(); ++id) {
      id2label[std::to_string(id)] = config.labels[id];
      label2id[config.labels[id]] = id;
    }
    json["id2label"] = id2label;
    json["label2id"] = label2id;
  }
  if (!config.problem_type.empty()) json["problem_type"] = config.problem_type;
  return json;
}

}  // namespace suanli::models
