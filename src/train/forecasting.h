/// Forecasts of a time series, scored beside the seasonal-naive one.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/forecast/forecast.h"
#include "train/metrics.h"
#include "train/task.h"

namespace suanli {

/// Errors of forecasts (Hyndman and Koehler 2006).
class ForecastErrors {
 public:
  /// `naive_error`: mean absolute error of the seasonal-naive forecast within the training series, > 0.
  explicit ForecastErrors(double naive_error) : naive_error_(naive_error) {}
  void add(double truth, double forecast);
  /// mae; rmse; smape: mean of 200 |y - f| / (|y| + |f|) in percent, 0 where both are (as the M4 competition counts);
  /// mase: mae / naive_error. NaN before the first.
  Scores scores() const;

 private:
  double naive_error_, count_ = 0, absolute_ = 0, squared_ = 0, relative_ = 0;
};

/// The task over a forecaster, which must outlive it. Its network sees each window less its last value. Scores: loss
/// (of standardised values), mae, rmse, smape, mase, and the same of the seasonal-naive forecast as naive_...
class Forecasting final : public Task {
 public:
  explicit Forecasting(const models::Model& model);

  /// Rows come from windows_of(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  int64_t items(const Batch& batch) const override { return batch.size(); }
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// [B, P]: the forecasts in the unit of the series.
  std::vector<float> forecasts(const Batch& batch, const nn::Mode& mode) const;
  const models::ForecastConfig& config() const { return config_; }
  /// A standardised value in the unit of the series.
  double unscaled(float value) const { return config_.series_mean + config_.series_scale * static_cast<double>(value); }

 private:
  Tensor differences(const LossInputs& inputs, const nn::Mode& mode) const;

  const models::Model& model_;
  const models::ForecastConfig config_;
};

}  // namespace suanli
