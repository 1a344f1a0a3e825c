#include "train/series.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "data/cell.h"

namespace suanli {

Series read_series(const std::filesystem::path& file, const RowOptions& options, const std::string& column) {
  const auto reader = open_rows(file, options);
  const size_t place = reader->column(column);
  Series series = {.file = file.string(), .values = {}, .filled = {}};
  int64_t missing = 0;
  Row row;
  while (reader->next(&row)) {
    const std::string cell = row.error.empty() && place < row.cells.size() ? row.cells[place] : "";
    const auto number = parse_number(cell);
    if (!number && !is_missing(cell)) {
      throw UserError(reader->source().place(row.line),
                      concat("column ", column, " must be a finite number, found \"", shortened(cell, 60), '"'));
    }
    missing += number ? 0 : 1;
    if (!number && series.values.empty()) continue;
    series.values.push_back(number ? *number : series.values.back());
    series.filled.push_back(number ? 0 : 1);
  }
  if (series.values.empty()) throw UserError(file.string(), concat("no number in column ", column));
  if (missing > 0) {
    log_warning(concat(file, ": ", missing, " missing values of ", column,
                       " have the value before them in contexts; they are not forecast"));
  }
  return series;
}

void fit_series(std::span<const double> train, Json& config) {
  const auto season = config["seasonality"].get<size_t>();
  if (train.size() <= season) {
    throw UserError("seasonality", concat("expected a training series of more than one season, ", season, ", got ",
                                          train.size(), " values"));
  }
  double count = 0, mean = 0, squares = 0, naive = 0;
  for (size_t t = 0; t < train.size(); ++t) {
    const double step = train[t] - mean;  // Welford 1962
    mean += step / ++count;
    squares += step * (step - step / count);
    if (t >= season) naive += std::abs(train[t] - train[t - season]);
  }
  const double deviation = std::sqrt(squares / count), error = naive / (count - static_cast<double>(season));
  config["series_mean"] = mean;
  config["series_scale"] = deviation > 0 ? deviation : 1;
  config["naive_error"] = error > 0 ? error : 1;
}

Dataset windows_of(const Series& series, size_t begin, size_t end, const models::ForecastConfig& config,
                   int64_t limit) {
  const auto context = static_cast<size_t>(config.context_length),
             steps = static_cast<size_t>(config.prediction_length);
  const auto scaled = [&](size_t t) {
    return static_cast<float>((series.values[t] - config.series_mean) / config.series_scale);
  };
  Dataset data;
  size_t whole = 0;  // values in a row that were there
  for (size_t next = begin; next < end; ++next) {
    whole = series.filled[next] != 0 ? 0 : whole + 1;
    if (whole < steps || next + 1 < context + steps) continue;
    if (limit >= 0 && static_cast<int64_t>(data.rows.size()) == limit) break;
    const size_t first = next + 1 - steps;
    EncodedExample& row = data.rows.emplace_back();
    for (size_t t = first - context; t < first; ++t) row.features.push_back(scaled(t));
    for (size_t t = first; t <= next; ++t) row.targets.push_back(scaled(t));
    row.row = static_cast<int64_t>(first);
  }
  if (data.rows.empty()) {
    throw UserError(series.file, concat("expected at least context_length + prediction_length = ", context + steps,
                                        " values, the last ", steps, " of them in this part of the series, got ", end,
                                        " up to the end of a part of ", end - begin));
  }
  return data;
}

std::vector<float> seasonal_naive(std::span<const float> context, int64_t seasonality, int64_t steps) {
  const auto season = static_cast<size_t>(seasonality);
  std::vector<float> forecast;
  for (size_t h = 0; h < static_cast<size_t>(steps); ++h) {
    forecast.push_back(context[context.size() - season + h % season]);
  }
  return forecast;
}

}  // namespace suanli
