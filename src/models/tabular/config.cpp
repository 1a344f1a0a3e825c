#include "models/tabular/config.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "models/probabilities.h"

namespace suanli::models {
namespace {

std::vector<int64_t> sizes(const Json& json, const char* key, const std::string& where) {
  auto all = json_get_or<std::vector<int64_t>>(json, key, {}, where);
  for (const int64_t size : all) {
    if (size >= 1 && size <= int64_t{1} << 24) continue;
    throw UserError(where, concat("expected sizes in 1..2^24 in \"", key, "\", got ", size));
  }
  return all;
}

constexpr const char* kModelType = "tabular_mlp";

}  // namespace

bool is_tabular(const Json& json, const std::string& where) {
  return json_get_or<std::string>(json, "model_type", "", where) == kModelType;
}

Json tabular_json() { return {{"model_type", kModelType}}; }

TabularConfig tabular_config(const Json& json, const std::string& where) {
  TabularConfig config;
  config.json = json;
  config.labels = config_labels(json, where);
  config.problem_type = json_get_or<std::string>(json, "problem_type", "single_label_classification", where);
  config.num_features = config_size(json, "num_features", 0, where);
  config.category_sizes = sizes(json, "category_sizes", where);
  config.hidden_sizes = sizes(json, "hidden_sizes", where);
  config.activation = nn::activation_named(json_get_or<std::string>(json, "hidden_act", "relu", where));
  config.dropout = config_probability(json, "hidden_dropout_prob", 0, where);
  config.threshold = json_get_or<double>(json, "threshold", 0.5, where);
  config.target_mean = json_get_or<double>(json, "target_mean", 0, where);
  config.target_scale = json_get_or<double>(json, "target_scale", 1, where);
  if (config.num_features == 0 && config.category_sizes.empty()) {
    throw UserError(where, "expected num_features or category_sizes above 0, got none: a table needs a column");
  }
  if (!(config.threshold >= 0 && config.threshold <= 1)) {
    throw UserError(where, concat("expected \"threshold\" in 0..1, got ", config.threshold));
  }
  if (!(config.target_scale > 0)) {
    throw UserError(where, concat("expected \"target_scale\" above 0, got ", config.target_scale));
  }
  return config;
}

TabularDecision decide(std::span<const float> logits, double threshold) {
  const std::vector<double> p = softmax(logits);
  int64_t label = std::max_element(p.begin(), p.end()) - p.begin();
  if (p.size() == 2) label = static_cast<float>(p[1]) >= static_cast<float>(threshold) ? 1 : 0;
  return {label, static_cast<float>(p[static_cast<size_t>(label)])};
}

}  // namespace suanli::models
