#include "cli/predict_series.h"

#include "base/concat.h"
#include "base/error.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "models/adapter.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "train/forecasting.h"
#include "train/series.h"

namespace suanli::cli {

int predict_series(const Config& config) {
  initialize();
  const Device device = device_named(config.get_string("device"));
  const auto [dtype, int8] = nn::inference_precision_named(config.get_string("precision"), device);
  if (int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for a forecaster, got int8");
  const models::Model model = models::load_model(config.get_string("model"), {.matrix_dtype = dtype, .device = device});
  const Forecasting task(model);

  const std::string input = config.get_string("input");
  RowOptions options;
  if (input == "-") options.format = FileFormat::csv;
  const Series series = read_series(input, options, task.config().series_column);
  const auto context = static_cast<size_t>(task.config().context_length);
  if (series.values.size() < context) {
    throw UserError(series.file, concat("expected at least the ", context, " values of the model's context, got ",
                                        series.values.size()));
  }
  EncodedExample window;
  for (size_t t = series.values.size() - context; t < series.values.size(); ++t) {
    window.features.push_back(
        static_cast<float>((series.values[t] - task.config().series_mean) / task.config().series_scale));
  }
  const std::vector<float> forecast = task.forecasts(pack({&window, 1}), {.training = false, .dtype = dtype});
  Output output(config.get_string("output"));
  std::string text;
  for (size_t h = 0; h < forecast.size(); ++h) {
    text += concat("{\"step\": ", h + 1, ", \"value\": ");
    append_number(text, forecast[h]);
    text += "}\n";
  }
  output.write(text);
  output.close();
  return 0;
}

}  // namespace suanli::cli
