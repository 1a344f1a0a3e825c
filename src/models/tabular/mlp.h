/// Multi-layer perceptron over the rows of a table.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/family.h"
#include "models/tabular/config.h"

namespace suanli::models {

/// h_0 = W x + b + sum_k E_k[c_k],   h_i = W_i dropout(f(h_{i-1})) + b_i,   logits = h_n
/// x are the numbers of a row, c_k its categories. E_k has a row of the first layer's width for each value of a
/// category: what the columns of a one-hot encoding would meet in W, without the zeros. Parameters layers.0.weight,
/// layers.0.bias, ...; embeddings.k.weight.
class TabularMlp final : public Network {
 public:
  TabularMlp(nn::ParameterScope scope, const TabularConfig& config);
  Tensor row_logits(const Tensor& numbers, const Tensor& categories, const nn::Mode& mode) const override;

 private:
  ops::Activation activation_;
  std::optional<nn::Linear> numbers_;
  std::vector<nn::Embedding> embeddings_;
  std::vector<nn::Linear> layers_;  ///< behind the first
  std::vector<nn::Dropout> dropouts_;
};

/// "tabular_mlp". Throws UserError as tabular_config() does.
std::unique_ptr<Family> read_tabular(const Json& json, const std::string& where);

}  // namespace suanli::models
