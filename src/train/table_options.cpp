#include "train/table_options.h"

#include "train/option_types.h"

namespace suanli {

std::vector<Option> table_options() {
  return {
      {"column_encodings", kList, "",
       "of a table: column=none, standardize, min_max, robust, log, one_hot, ordinal, date or hashed:BUCKETS; columns "
       "not named by their content"},
      {"hidden_sizes", kList, "100",
       "width of each hidden layer, such as 64,32; 0: none; of lstm and gru layers, such as 64"},
      {"hidden_act", kText, "relu", "of a table: between the layers", {}, {"relu", "tanh", "gelu"}},
      {"hidden_dropout_prob", kReal, "0", "of a table: dropout of the hidden layers"},
      {"class_weight", kText, "none", "of a table: balanced: rare classes weigh more", {}, {"none", "balanced"}},
      {"focal_loss_gamma", kReal, "0", "of a table: how much rows that are sure already count less"},
      {"threshold",
       kText,
       "none",
       "of a table of two classes: chosen on the validation set for the best F1 or Youden's J",
       {},
       {"none", "f1", "youden"}},
      {"forecaster", kText, "linear", "of a series: how it is forecast", {}, {"linear", "lstm", "gru"}},
      {"context_length", kInteger, "48", "of a series: how many values a forecast is made from"},
      {"prediction_length", kInteger, "12", "of a series: how many values are forecast"},
      {"seasonality", kInteger, "1",
       "of a series: steps of a season, whose last value is the naive forecast; 1: the last value"},
  };
}

}  // namespace suanli
