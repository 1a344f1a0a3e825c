#include "models/forecast/forecast.h"

#include "base/concat.h"
#include "base/error.h"
#include "ops/cast.h"

namespace suanli::models {
namespace {

constexpr const char* kModelType = "forecaster";

double positive(const Json& json, const char* key, const std::string& where) {
  const auto value = json_get_or<double>(json, key, 1, where);
  if (value > 0) return value;
  throw UserError(where, concat("expected \"", key, "\" above 0, got ", value));
}

class ForecastFamily final : public Family {
 public:
  explicit ForecastFamily(ForecastConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head) const override {
    return std::make_unique<Forecaster>(scope, config_);
  }
  std::string architecture(Head) const override { return "ForecasterModel"; }
  StoredNames stored_names(const std::string& parameter) const override { return {.names = {parameter}}; }
  bool may_be_unused(const std::string&) const override { return false; }

 private:
  ForecastConfig config_;
};

}  // namespace

bool is_forecaster(const Json& json, const std::string& where) {
  return json_get_or<std::string>(json, "model_type", "", where) == kModelType;
}

Json forecaster_json() { return {{"model_type", kModelType}}; }

ForecastConfig forecast_config(const Json& json, const std::string& where) {
  ForecastConfig config;
  config.json = json;
  config.problem_type = "regression";
  config.context_length = config_size(json, "context_length", 1, where);
  config.prediction_length = config_size(json, "prediction_length", 1, where);
  config.seasonality = json.contains("seasonality") ? config_size(json, "seasonality", 1, where) : 1;
  if (config.seasonality > config.context_length) {
    throw UserError(where, concat("expected \"context_length\" of at least one season, ", config.seasonality, ", got ",
                                  config.context_length));
  }
  config.series_column = json_get_or<std::string>(json, "series_column", "", where);
  config.series_mean = json_get_or<double>(json, "series_mean", 0, where);
  config.series_scale = positive(json, "series_scale", where);
  config.naive_error = positive(json, "naive_error", where);
  config.cell = json_get_or<std::string>(json, "cell", "linear", where);
  if (config.cell == "linear") return config;
  if (config.cell != "lstm" && config.cell != "gru") {
    throw UserError(where, concat("expected \"cell\" linear, lstm or gru, got \"", config.cell, '"'));
  }
  config.recurrence = {.cell = config.cell == "lstm" ? nn::Cell::lstm : nn::Cell::gru,
                       .input = 1,
                       .hidden = config_size(json, "hidden_size", 1, where),
                       .layers = json.contains("num_layers") ? config_size(json, "num_layers", 1, where) : 1,
                       .dropout = config_probability(json, "dropout", 0, where)};
  return config;
}

Forecaster::Forecaster(nn::ParameterScope scope, const ForecastConfig& config)
    : context_length_(config.context_length) {
  if (config.cell == "linear") {
    linear_.emplace(scope / "linear", config.context_length, config.prediction_length);
    return;
  }
  rnn_.emplace(scope / "rnn", config.recurrence);
  projection_.emplace(scope / "projection", config.recurrence.hidden, config.prediction_length);
}

Tensor Forecaster::row_logits(const Tensor& context, const Tensor&, const nn::Mode& mode) const {
  const Tensor x = ops::cast(context, mode.dtype);
  if (linear_) return ops::cast((*linear_)(x), DType::f32);
  std::vector<int32_t> offsets;
  for (int64_t b = 0; b <= x.dim(0); ++b) offsets.push_back(static_cast<int32_t>(b * context_length_));
  const auto states =
      (*rnn_)(x.reshape({x.elements(), 1}), Tensor::from(offsets, {static_cast<int64_t>(offsets.size())}), mode);
  return ops::cast((*projection_)(states.last.back().h), DType::f32);
}

std::unique_ptr<Family> read_forecaster(const Json& json, const std::string& where) {
  return std::make_unique<ForecastFamily>(forecast_config(json, where));
}

}  // namespace suanli::models
