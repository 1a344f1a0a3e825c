#include "cli/predict_series.h"

#include "base/concat.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "infer/series_model.h"
#include "train/series.h"

namespace suanli::cli {

int predict_series(const Config& config) {
  const infer::SeriesModel model(config.get_string("model"), config.get_string("device"),
                                 config.get_string("precision"));
  const std::string input = config.get_string("input");
  RowOptions options;
  if (input == "-") options.format = FileFormat::csv;
  const Series series = read_series(input, options, model.config().series_column);
  const infer::Prepared context = model.prepare(series.values, series.file);
  const infer::Prediction forecast = model.predict({&context, 1}).front();
  Output output(config.get_string("output"));
  std::string text;
  for (size_t h = 0; h < forecast.numbers.size(); ++h) {
    text += concat("{\"step\": ", h + 1, ", \"value\": ");
    append_number(text, forecast.numbers[h]);
    text += "}\n";
  }
  output.write(text);
  output.close();
  return 0;
}

}  // namespace suanli::cli
