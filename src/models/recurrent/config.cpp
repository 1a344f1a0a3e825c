#include "models/recurrent/config.h"

#include "base/error.h"

namespace suanli::models {
namespace {

constexpr int64_t kMostTokens = int64_t{1} << 20;  // of a sequence; recurrence itself has no limit

nn::Cell cell_of(const Json& json, const std::string& where) {
  const auto type = json_get<std::string>(json, "model_type", where);
  if (type == "lstm") return nn::Cell::lstm;
  if (type == "gru") return nn::Cell::gru;
  const auto nonlinearity = json_get_or<std::string>(json, "nonlinearity", "tanh", where);
  if (nonlinearity == "tanh") return nn::Cell::rnn_tanh;
  if (nonlinearity == "relu") return nn::Cell::rnn_relu;
  throw UserError(where, "expected \"nonlinearity\" tanh or relu, got \"" + nonlinearity + "\"");
}

int64_t size_or(const Json& json, const char* key, int64_t otherwise, const std::string& where) {
  return json.contains(key) ? config_size(json, key, 1, where) : otherwise;
}

}  // namespace

RecurrentConfig recurrent_config(const Json& json, const std::string& where) {
  RecurrentConfig config;
  config.json = json;
  config.labels = config_labels(json, where);
  config.problem_type = json_get_or<std::string>(json, "problem_type", "", where);
  config.vocab_size = config_size(json, "vocab_size", 1, where);
  config.hidden_size = config_size(json, "hidden_size", 1, where);
  config.longest_sequence = kMostTokens;
  config.embedding_dim = size_or(json, "embedding_dim", config.hidden_size, where);
  config.recurrence = {.cell = cell_of(json, where),
                       .input = config.embedding_dim,
                       .hidden = config.hidden_size,
                       .layers = size_or(json, "num_layers", 1, where),
                       .bidirectional = json_get_or<bool>(json, "bidirectional", false, where),
                       .dropout = config_probability(json, "dropout", 0, where)};
  const auto pooling = json_get_or<std::string>(json, "pooling", "last", where);
  if (pooling != "last" && pooling != "mean") {
    throw UserError(where, "expected \"pooling\" last or mean, got \"" + pooling + "\"");
  }
  config.pooling = pooling == "mean" ? Pooling::mean : Pooling::last;
  return config;
}

}  // namespace suanli::models
