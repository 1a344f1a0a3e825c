/// Forecasters of a time series: from C values the P that follow, by one linear layer or by recurrent cells.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "models/family.h"
#include "nn/layers.h"
#include "nn/recurrence.h"

namespace suanli::models {

/// config.json: "context_length" C and "prediction_length" P as in transformers' TimeSeriesTransformer; "cell":
/// "linear", "lstm" or "gru"; "hidden_size", "num_layers", "dropout" of cells. What training has fitted: "series_mean"
/// and "series_scale" (mean and deviation of the training values), "seasonality" m and "naive_error" (mean absolute
/// error of the value m steps before over the training values). "series_column": which column is forecast.
struct ForecastConfig : ModelConfig {
  int64_t context_length = 0, prediction_length = 0, seasonality = 1;
  std::string series_column, cell;
  nn::RecurrenceOptions recurrence = {};
  double series_mean = 0, series_scale = 1, naive_error = 1;
};

/// True for the config.json of a forecaster.
bool is_forecaster(const Json& json, const std::string& where);
/// The beginning of one: what says that it is a forecaster.
Json forecaster_json();

/// Throws UserError naming `where` and key.
ForecastConfig forecast_config(const Json& json, const std::string& where);

/// row_logits: context [B, C] f32, the values less the last one of each row -> [B, P], the same of those that follow
/// (NLinear of Zeng et al. 2022, "Are Transformers Effective for Time Series Forecasting?"):
///   linear: y = W x + b                          parameters linear.weight [P, C], linear.bias
///   cells:  y = W h_C + b, h_t = cell(x_t, h_{t-1})        rnn.* as torch's, projection.weight [P, H], projection.bias
class Forecaster final : public Network {
 public:
  Forecaster(nn::ParameterScope scope, const ForecastConfig& config);
  Tensor row_logits(const Tensor& context, const Tensor& none, const nn::Mode& mode) const override;

 private:
  int64_t context_length_;
  std::optional<nn::Linear> linear_, projection_;
  std::optional<nn::Recurrence> rnn_;
};

/// "forecaster". Throws UserError as forecast_config() does.
std::unique_ptr<Family> read_forecaster(const Json& json, const std::string& where);

}  // namespace suanli::models
