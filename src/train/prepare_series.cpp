#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "train/forecasting.h"
#include "train/prepare.h"
#include "train/series.h"
#include "train/table_data.h"

namespace suanli {
namespace {

RowOptions row_options(const TrainArguments& a) {
  RowOptions options;
  options.column_names = a.reader.column_names;
  options.on_bad_row = a.reader.on_bad_row;
  return options;
}

/// config.json of a new forecaster, without what is fitted.
Json new_config(const TrainArguments& a, const std::string& column) {
  Json json = models::forecaster_json();
  json["series_column"] = column;
  json["context_length"] = a.context_length;
  json["prediction_length"] = a.prediction_length;
  json["seasonality"] = a.seasonality;
  json["cell"] = a.forecaster;
  if (a.forecaster == "linear") return json;
  for (const int64_t size : a.hidden_sizes) {
    if (size == a.hidden_sizes.front()) continue;
    throw UserError("hidden_sizes", concat("expected layers of one width for ", a.forecaster, ", got ",
                                           a.hidden_sizes.front(), " and ", size));
  }
  if (a.hidden_sizes.empty()) throw UserError("hidden_sizes", concat("expected a width for ", a.forecaster, ", got 0"));
  json["hidden_size"] = a.hidden_sizes.front();
  json["num_layers"] = a.hidden_sizes.size();
  json["dropout"] = a.hidden_dropout_prob;
  return json;
}

}  // namespace

void prepare_series(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  const RowOptions options = row_options(a);
  const bool is_new = model_json.empty(), splits = a.validation_split > 0 || a.test_split > 0;
  if (is_new && !a.do_train) {
    throw UserError("model_name_or_path",
                    "expected the folder of a trained model (or a train_file to train one), got none");
  }
  if (a.precision == Precision::automatic) run.precision = {DType::f32};  // what auto measures are large products
  std::string column = is_new ? "" : models::forecast_config(model_json, "config.json").series_column;
  if (is_new) column = label_column_of(*open_rows(a.train_file, options), a.reader.label_column);

  Series series;
  size_t train_end = 0, validation_end = 0;
  if (!a.train_file.empty() && (a.do_train || splits)) {
    series = read_series(a.train_file, options, column);
    const auto rows = static_cast<double>(series.values.size());
    if (a.validation_split + a.test_split >= 1) {
      throw UserError("validation_split", "expected validation_split and test_split to leave something to train on");
    }
    validation_end = static_cast<size_t>(std::llround(rows * (1 - a.test_split)));
    train_end = static_cast<size_t>(std::llround(rows * (1 - a.test_split - a.validation_split)));
  }
  Json json = model_json;
  if (is_new) {
    json = new_config(a, column);
    fit_series(std::span(series.values).first(train_end), json);
  }
  run.model = make_model(run, json, {});
  const models::ForecastConfig config = models::forecast_config(run.model.config().json, "config.json");

  const auto whole = [&](const std::string& file, int64_t limit) {
    const Series other = read_series(file, options, column);
    return windows_of(other, 0, other.values.size(), config, limit);
  };
  const auto part = [&](size_t begin, size_t end, int64_t limit) {
    return windows_of(series, begin, end, config, limit);
  };
  if (a.do_train) run.train = part(0, train_end, a.max_train_samples);
  if (a.do_eval || a.eval_strategy != Interval::no) {
    if (!a.validation_file.empty()) run.validation = whole(a.validation_file, a.max_eval_samples);
    if (a.validation_split > 0) run.validation = part(train_end, validation_end, a.max_eval_samples);
  }
  if (a.do_predict) {
    run.test = a.test_split > 0 ? part(validation_end, series.values.size(), a.max_predict_samples)
                                : whole(a.test_file, a.max_predict_samples);
  }
  run.task = std::make_unique<Forecasting>(run.model);
}

}  // namespace suanli
