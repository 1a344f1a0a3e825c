/// A time series of a file, and the windows of it that a forecaster learns from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/rows.h"
#include "models/forecast/forecast.h"
#include "train/dataset.h"

namespace suanli {

struct Series {
  std::string file;
  std::vector<double> values;   ///< in the order of the file, which is that of time
  std::vector<uint8_t> filled;  ///< 1: the cell was missing and has the value before it
};

/// The column `column` of a file. Cells that are missing take the value before them and are counted in a message; those
/// at the begin are passed over. Throws UserError for a cell that is no number and for a column without numbers.
Series read_series(const std::filesystem::path& file, const RowOptions& options, const std::string& column);

/// Puts "series_mean", "series_scale" and "naive_error" of the training values into a config.json that has the lengths
/// and the seasonality. Throws UserError for a series that is shorter than one window or than a season and one value.
void fit_series(std::span<const double> train, Json& config);

/// Every window whose P values to forecast lie in [begin, end) and none of which was missing; its context may begin
/// earlier. features [C] and targets [P] are standardised; `row` is the place of the first value to forecast. Throws
/// UserError where there is none.
Dataset windows_of(const Series& series, size_t begin, size_t end, const models::ForecastConfig& config, int64_t limit);

/// The seasonal-naive forecast of h = 1..P behind `context`: the value of the same season, context[C - m + (h-1) mod
/// m].
std::vector<float> seasonal_naive(std::span<const float> context, int64_t seasonality, int64_t steps);

}  // namespace suanli
