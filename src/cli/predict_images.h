/// Predictions of a model of pictures.
#pragma once

#include "base/config.h"

namespace suanli::cli {

/// A JSON line for each picture of --input (a picture, a folder of them, or a file with the path of one a line; - for
/// standard input): {"file", "label", "score"}, or with top_k > 1 {"file", "labels"}, best first. Returns the exit
/// code.
int predict_images(const Config& config, int64_t top_k);

/// The same of a detector: for each picture a list of {"score", "label", "box": {"xmin", "ymin", "xmax", "ymax"}}, best
/// first.
int predict_objects(const Config& config);

}  // namespace suanli::cli
