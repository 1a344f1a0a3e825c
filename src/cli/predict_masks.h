/// Predictions of a model that labels pixels.
#pragma once

#include "base/config.h"

namespace suanli::cli {

/// For each picture of --input (as predict_images() takes it) a PNG with the number of the class of each pixel, in
/// --output_dir under the picture's name, and a JSON line {"file", "mask", "segments": [{"label", "score", "value"}]}:
/// the classes that occur, by their number in the mask; score is null as in Hugging Face's semantic segmentation.
/// Returns the exit code.
int predict_masks(const Config& config);

}  // namespace suanli::cli
