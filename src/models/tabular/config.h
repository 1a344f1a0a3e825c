/// config.json of the networks for rows of a table.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/config.h"
#include "nn/layers.h"

namespace suanli::models {

/// A multi-layer perceptron over F numbers and K categories; without hidden layers it is linear or logistic regression.
struct TabularConfig : ModelConfig {
  int64_t num_features = 0;                  ///< F
  std::vector<int64_t> category_sizes = {};  ///< [K]: how many values each category takes
  std::vector<int64_t> hidden_sizes = {};
  ops::Activation activation = ops::Activation::relu;
  float dropout = 0;                         ///< of the hidden layers
  double threshold = 0.5;                    ///< two classes: the second is given from this probability on
  double target_mean = 0, target_scale = 1;  ///< regression: the network gives (target - mean) / scale

  bool regression() const { return problem_type == "regression"; }
  /// Width of the last layer: the classes, or one number.
  int64_t outputs() const { return regression() ? 1 : static_cast<int64_t>(labels.size()); }
  /// The number that an output stands for, in the unit of the data.
  float unscaled(float output) const {
    return static_cast<float>(target_mean + target_scale * static_cast<double>(output));
  }
};

/// The class of a row with these logits, and its probability: of two by the threshold, else the most probable.
struct TabularDecision {
  int64_t label = 0;
  float probability = 0;
};
TabularDecision decide(std::span<const float> logits, double threshold);

/// True for the config.json of such a network.
bool is_tabular(const Json& json, const std::string& where);
/// The beginning of one: what says that it is such a network.
Json tabular_json();

/// Reads "num_features", "category_sizes", "hidden_sizes", "hidden_act", "hidden_dropout_prob", "threshold",
/// "target_mean", "target_scale". Throws UserError naming `where` and key.
TabularConfig tabular_config(const Json& json, const std::string& where);

}  // namespace suanli::models
