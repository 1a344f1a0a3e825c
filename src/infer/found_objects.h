/// Objects that a detector found, in the picture as it was.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/annotated.h"
#include "image/geometry.h"
#include "models/detection.h"

namespace suanli::infer {

struct FoundObject {
  Box box;
  int32_t label = 0;
  float score = 0;
};

/// Where a picture of `height` x `width` lies in its square of `size`, and how it was scaled.
struct SquarePlace {
  SquarePlace(int64_t height, int64_t width, int64_t size);
  Box to_square(const Box& box) const;
  Box to_picture(const ops::CornerBox& box) const;

  LetterboxPlace place;
  double scale_x, scale_y;
};

/// What a network found in the square, in the picture; what lies beside the picture is left out.
std::vector<FoundObject> on_picture(std::span<const models::Detection> found, const SquarePlace& place);

/// As Hugging Face's object-detection pipeline gives it: a JSON list of {"score", "label", "box": {"xmin", "ymin",
/// "xmax", "ymax"}}, best first, in whole pixels.
std::string detections_text(std::span<const FoundObject> found, const std::vector<std::string>& labels);

}  // namespace suanli::infer
