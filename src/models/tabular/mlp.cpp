#include "models/tabular/mlp.h"

#include <cmath>
#include <string>

#include "ops/arithmetic.h"
#include "ops/cast.h"

namespace suanli::models {

TabularMlp::TabularMlp(nn::ParameterScope scope, const TabularConfig& config) : activation_(config.activation) {
  std::vector<int64_t> widths = config.hidden_sizes;
  widths.push_back(config.outputs());
  const auto inputs = static_cast<double>(config.num_features) + static_cast<double>(config.category_sizes.size());
  if (config.num_features > 0) numbers_.emplace(scope / "layers" / "0", config.num_features, widths[0]);
  for (size_t k = 0; k < config.category_sizes.size(); ++k) {
    embeddings_.emplace_back(scope / "embeddings" / std::to_string(k), config.category_sizes[k], widths[0],
                             nn::uniform(1 / std::sqrt(inputs)));
  }
  for (size_t i = 1; i < widths.size(); ++i) {
    layers_.emplace_back(scope / "layers" / std::to_string(i), widths[i - 1], widths[i]);
    dropouts_.push_back({config.dropout, scope.next_site()});
  }
}

Tensor TabularMlp::row_logits(const Tensor& numbers, const Tensor& categories, const nn::Mode& mode) const {
  Tensor h;
  if (numbers_) h = (*numbers_)(ops::cast(numbers, mode.dtype));
  for (size_t k = 0; k < embeddings_.size(); ++k) {
    const auto row = static_cast<int64_t>(k);
    const Tensor part = embeddings_[k](categories.rows(row, row + 1).reshape({categories.dim(1)}), mode.dtype);
    h = h.defined() ? ops::add(h, part) : part;
  }
  for (size_t i = 0; i < layers_.size(); ++i) h = layers_[i](dropouts_[i](ops::activate(activation_, h), mode));
  return ops::cast(h, DType::f32);
}

namespace {

class Tabular final : public Family {
 public:
  explicit Tabular(TabularConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head) const override {
    return std::make_unique<TabularMlp>(scope, config_);
  }
  std::string architecture(Head) const override { return "TabularMlpModel"; }
  StoredNames stored_names(const std::string& parameter) const override { return {.names = {parameter}}; }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  TabularConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_tabular(const Json& json, const std::string& where) {
  return std::make_unique<Tabular>(tabular_config(json, where));
}

}  // namespace suanli::models
