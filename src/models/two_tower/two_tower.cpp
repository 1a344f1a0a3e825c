#include "models/two_tower/two_tower.h"

#include "base/concat.h"
#include "base/error.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/pooling.h"

namespace suanli::models {
namespace {

constexpr const char* kTwoTowerType = "two_tower";
constexpr const char* kItemText = "item_text";

class TwoTowerFamily final : public Family {
 public:
  explicit TwoTowerFamily(TwoTowerConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head) const override {
    return std::make_unique<TwoTower>(scope, config_);
  }
  std::string architecture(Head) const override { return "TwoTowerModel"; }
  StoredNames stored_names(const std::string& parameter) const override { return {.names = {parameter}}; }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  TwoTowerConfig config_;
};

}  // namespace

bool is_two_tower(const Json& json, const std::string& where) {
  return json_get_or<std::string>(json, "model_type", "", where) == kTwoTowerType;
}

Json two_tower_json() { return {{"model_type", kTwoTowerType}}; }

TwoTowerConfig two_tower_config(const Json& json, const std::string& where) {
  TwoTowerConfig config;
  config.json = json;
  config.items = config_size(json, "num_items", 1, where);
  config.text_width = config_size(json, "text_width", 1, where);
  config.hidden_size = config_size(json, "hidden_size", 1, where);
  config.history_length = config_size(json, "history_length", 1, where);
  config.temperature = json_get_or<double>(json, "temperature", 0.1, where);
  if (!(config.temperature > 0)) {
    throw UserError(where, concat("expected \"temperature\" above 0, got ", config.temperature));
  }
  config.dropout = config_probability(json, "dropout", 0, where);
  config.item_dropout = config_probability(json, "item_dropout", 0, where);
  config.least_rating = json_get_or<double>(json, "least_rating", 4, where);
  return config;
}

TwoTower::TwoTower(nn::ParameterScope scope, const TwoTowerConfig& config)
    : text_projection_(scope / "text_projection", config.text_width, config.hidden_size),
      item_embedding_(scope / "item_embedding", config.items + 1, config.hidden_size, nn::normal(0.02)),
      rnn_(scope / "rnn", {.cell = nn::Cell::gru, .input = config.hidden_size, .hidden = config.hidden_size}),
      user_projection_(scope / "user_projection", config.hidden_size, config.hidden_size),
      item_dropout_{config.dropout, scope.next_site()},
      state_dropout_{config.dropout, scope.next_site()} {
  scope.buffer(kItemText, {config.items, config.text_width}, nn::zeros());
}

Tensor TwoTower::item_vectors(const Tensor& text, const Tensor& rows, const nn::Mode& mode) const {
  const Tensor read = text_projection_(ops::cast(text, mode.dtype));
  return ops::normalize(ops::cast(ops::add(read, item_embedding_(rows, mode.dtype)), DType::f32));
}

Tensor TwoTower::user_vectors(const Tensor& items, const Tensor& offsets, const nn::Mode& mode) const {
  const Tensor states = rnn_(item_dropout_(ops::cast(items, mode.dtype), mode), offsets, mode).y;
  return ops::normalize(ops::cast(user_projection_(state_dropout_(states, mode)), DType::f32));
}

std::unique_ptr<Family> read_two_tower(const Json& json, const std::string& where) {
  return std::make_unique<TwoTowerFamily>(two_tower_config(json, where));
}

Tensor item_text(const nn::Parameters& parameters) {
  for (const nn::Parameter& buffer : parameters.buffers()) {
    if (buffer.name == kItemText) return buffer.value;
  }
  throw UserError("model", "expected a recommender of two towers, got a model of another kind; see its config.json");
}

}  // namespace suanli::models
