/// What detectors learn from and what they answer: boxes in the pixels of the pictures that the network gets.
#pragma once

#include <vector>

#include "ops/nms.h"
#include "tensor/tensor.h"

namespace suanli::models {

/// The objects of B pictures, one picture's after another's, on the host.
struct DetectionTargets {
  Tensor boxes;    ///< [N,4] f32: x1, y1, x2, y2
  Tensor labels;   ///< [N] i32
  Tensor offsets;  ///< [B+1] i32: picture b has objects offsets[b] to offsets[b+1] - 1
};

/// The losses of torchvision's detectors, [1] f32 each, means over the pictures.
struct DetectionLosses {
  Tensor objectness, rpn_box_reg, classifier, box_reg;
};

struct Detection {
  ops::CornerBox box;
  int32_t label = 0;
  float score = 0;
};

}  // namespace suanli::models
