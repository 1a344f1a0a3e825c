/// `suanli predict` with a forecaster.
#pragma once

#include <string>

#include "base/config.h"

namespace suanli::cli {

/// True where the folder holds a forecaster of a time series.
bool is_forecast_model(const std::string& folder);

/// Reads the series of the input and writes one JSON line for each step behind its end: {"step": 1, "value": ...}.
/// Throws UserError where it is shorter than the context.
int predict_series(const Config& config);

}  // namespace suanli::cli
