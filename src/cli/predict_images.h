/// Predictions of a model of pictures.
#pragma once

#include "base/config.h"
#include "models/config.h"

namespace suanli::cli {

/// A JSON line for each picture of --input (a picture, a folder of them, or a file with the path of one a line; - for
/// standard input), by the head:
///   image_classification    {"file", "label", "score"}, or with top_k > 1 {"file", "labels"}, best first
///   object_detection        a list of {"score", "label", "box": {"xmin", "ymin", "xmax", "ymax"}}, best first
///   keypoint_detection      {"file", "key_points": [{"x", "y", "score"}, ...]}, in pixels of the picture, of one thing
///                           that fills it
///   semantic_segmentation   {"file", "mask", "segments": [{"label", "score", "value"}]}: the classes that occur by
///                           their number in the mask, which is written into --output_dir under the picture's name;
///                           score is null as in Hugging Face's semantic segmentation
///   image_super_resolution  {"file", "output", "width", "height"}: the enlarged picture is NAME.png in --output_dir
/// Returns the exit code. Throws UserError, of super-resolution also where two pictures have one name.
int predict_images(const Config& config, models::Head head, int64_t top_k);

}  // namespace suanli::cli
