/// Predictions of a model of tables.
#pragma once

#include "base/config.h"

namespace suanli::cli {

/// A JSON line for each row of --input: {"label", "score"} with the probability of the label, or {"value"}. The columns
/// are those that the model was trained on, in any order; others are passed over. Returns the exit code.
int predict_rows(const Config& config);

}  // namespace suanli::cli
