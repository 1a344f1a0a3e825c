#include "infer/series_model.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "base/json_text.h"

namespace suanli::infer {

SeriesModel::SeriesModel(const std::string& folder, const std::string& device, const std::string& precision)
    : network_(load_network(folder, models::Head::none, device, precision)),
      config_(models::forecast_config(network_.model.config().json, folder + "/config.json")) {}

Prepared SeriesModel::prepare(std::span<const double> values, std::string_view where) const {
  const auto context = static_cast<size_t>(config_.context_length);
  if (values.size() < context) {
    throw UserError(where,
                    concat("expected at least the ", context, " values of the model's context, got ", values.size()));
  }
  Prepared out;
  for (const double value : values.last(context)) {
    out.example.features.push_back(static_cast<float>((value - config_.series_mean) / config_.series_scale));
  }
  return out;
}

std::vector<Prediction> SeriesModel::predict(std::span<const Prepared> series) const {
  const NoGradient guard;
  std::vector<float> differences;  // from the last value of each context
  for (const Prepared& each : series) {
    for (const float value : each.example.features) differences.push_back(value - each.example.features.back());
  }
  const Tensor context = constant_of(differences, {std::ssize(series), config_.context_length}).on(network_.device);
  const std::vector<float> values = values_on_host(network_.model.network->row_logits(context, {}, network_.mode));
  std::vector<Prediction> out(series.size());
  const auto steps = static_cast<size_t>(config_.prediction_length);
  for (size_t i = 0; i < series.size(); ++i) {
    Prediction& answer = out[i];
    answer.json = "[";
    for (size_t h = 0; h < steps; ++h) {
      const float scaled = values[i * steps + h] + series[i].example.features.back();
      answer.numbers.push_back(
          static_cast<float>(config_.series_mean + config_.series_scale * static_cast<double>(scaled)));
      answer.json += concat(h > 0 ? ", " : "", "{\"step\": ", h + 1, ", \"value\": ");
      append_number(answer.json, answer.numbers.back());
      answer.json += '}';
    }
    answer.json += ']';
  }
  return out;
}

}  // namespace suanli::infer
