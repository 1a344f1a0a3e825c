/// Key points of pictures by a model of heat maps.
#pragma once

#include "base/config.h"

namespace suanli::cli {

/// A JSON line for each picture of --input (picture_files()), one thing that fills it: {"file", "key_points": [{"x",
/// "y", "score"}, ...]}, in pixels of the picture. Returns the exit code.
int predict_key_points(const Config& config);

}  // namespace suanli::cli
