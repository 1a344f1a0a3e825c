#include "train/forecasting.h"

#include <cmath>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "ops/loss.h"
#include "train/series.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

class ForecastScorer final : public Scorer {
 public:
  ForecastScorer(const Forecasting& task, bool keep)
      : task_(task), keep_(keep), errors_(task.config().naive_error), naive_(task.config().naive_error) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const auto steps = static_cast<size_t>(task_.config().prediction_length),
               width = static_cast<size_t>(task_.config().context_length);
    const std::vector<float> forecasts = task_.forecasts(batch, mode);
    for (size_t b = 0; b < batch.rows.size(); ++b) {
      const auto context = std::span(batch.features).subspan(b * width, width);
      const std::vector<float> naive =
          seasonal_naive(context, task_.config().seasonality, task_.config().prediction_length);
      std::string text;
      for (size_t h = 0; h < steps; ++h) {
        const double truth = task_.unscaled(batch.targets[b * steps + h]);
        const float forecast = forecasts[b * steps + h];
        const double miss = (static_cast<double>(forecast) - truth) / task_.config().series_scale;
        loss_.add(miss * miss, 1);
        errors_.add(truth, forecast);
        naive_.add(truth, task_.unscaled(naive[h]));
        if (!keep_) continue;
        text += concat(h == 0 ? "" : " ", number_text(forecast));
        answers_.rows.push_back({.row = batch.rows[b] + static_cast<int64_t>(h),
                                 .label = number_text(static_cast<float>(truth)),
                                 .prediction = number_text(forecast)});
      }
      if (keep_) predictions_.emplace_back(batch.rows[b], text);
    }
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    for (const auto& [name, value] : errors_.scores()) all.emplace_back(name, value);
    for (const auto& [name, value] : naive_.scores()) all.emplace_back(concat("naive_", name), value);
    return all;
  }

 private:
  const Forecasting& task_;
  bool keep_;
  MeanLoss loss_;
  ForecastErrors errors_, naive_;
};

models::ForecastConfig config_of(const models::Model& model) {
  const Json& json = model.config().json;
  if (!models::is_forecaster(json, "config.json")) {
    throw UserError("task", "expected a forecaster of a series, got a model of another kind; see its config.json");
  }
  return models::forecast_config(json, "config.json");
}

}  // namespace

void ForecastErrors::add(double truth, double forecast) {
  const double miss = std::abs(truth - forecast), size = std::abs(truth) + std::abs(forecast);
  count_ += 1;
  absolute_ += miss;
  squared_ += miss * miss;
  relative_ += miss > 0 ? 200 * miss / size : 0;
}

Scores ForecastErrors::scores() const {
  const double mae = absolute_ / count_;
  return {{"mae", mae},
          {"rmse", std::sqrt(squared_ / count_)},
          {"smape", relative_ / count_},
          {"mase", mae / naive_error_}};
}

Forecasting::Forecasting(const models::Model& model) : model_(model), config_(config_of(model)) {}

EncodedExample Forecasting::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected windows of a series, got texts");
}

LossInputs Forecasting::inputs(const Batch& batch) const {
  const auto width = static_cast<size_t>(config_.context_length),
             steps = static_cast<size_t>(config_.prediction_length);
  std::vector<float> features = batch.features, targets = batch.targets;
  for (size_t b = 0; b < batch.rows.size(); ++b) {
    const float last = features[(b + 1) * width - 1];
    for (size_t t = b * width; t < (b + 1) * width; ++t) features[t] -= last;
    for (size_t t = b * steps; !targets.empty() && t < (b + 1) * steps; ++t) targets[t] -= last;
  }
  return {.features = numbers(features), .targets = targets.empty() ? Tensor() : numbers(targets)};
}

Tensor Forecasting::differences(const LossInputs& inputs, const nn::Mode& mode) const {
  const Device device = model_.parameters->all().front().value.device();
  const int64_t rows = inputs.features.elements() / config_.context_length;
  return model_.network->row_logits(inputs.features.reshape({rows, config_.context_length}).on(device), {}, mode);
}

Tensor Forecasting::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  const Tensor x = differences(inputs, mode);
  return ops::mse_loss(x, inputs.targets.reshape(x.shape()).on(x.device()),
                       normalizer * static_cast<double>(config_.prediction_length));
}

std::vector<float> Forecasting::forecasts(const Batch& batch, const nn::Mode& mode) const {
  const NoGradient guard;
  std::vector<float> values = host_values(differences(inputs(batch), mode));
  const auto width = static_cast<size_t>(config_.context_length),
             steps = static_cast<size_t>(config_.prediction_length);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(unscaled(values[i] + batch.features[(i / steps + 1) * width - 1]));
  }
  return values;
}

std::unique_ptr<Scorer> Forecasting::scorer(bool keep) const { return std::make_unique<ForecastScorer>(*this, keep); }

}  // namespace suanli
