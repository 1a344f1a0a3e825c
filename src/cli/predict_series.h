/// `suanli predict` with a forecaster.
#pragma once

#include "base/config.h"

namespace suanli::cli {

/// Reads the series of the input and writes one JSON line for each step behind its end: {"step": 1, "value": ...}.
/// Throws UserError where it is shorter than the context.
int predict_series(const Config& config);

}  // namespace suanli::cli
