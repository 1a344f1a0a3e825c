/// Which boxes remain where several lie on one thing. Boxes are on the host, as all indices are: what remains decides
/// the shapes of the tensors that follow.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace suanli::ops {

/// From (x1, y1) to (x2, y2).
struct CornerBox {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  float width() const { return x2 - x1; }
  float height() const { return y2 - y1; }
  float area() const { return width() * height(); }
  bool operator==(const CornerBox&) const = default;
};

/// The area that both share over the area that they cover; NaN where they cover none (torchvision.ops.box_iou).
float box_iou(const CornerBox& a, const CornerBox& b);

/// The places of the boxes that remain, best score first, the earlier of equals: each unless its IoU with one that
/// remained before it is above `iou_threshold` (torchvision.ops.nms). N scores for N boxes.
std::vector<int64_t> nms(std::span<const CornerBox> boxes, std::span<const float> scores, double iou_threshold);

/// The same among the boxes of each group alone (torchvision.ops.batched_nms): N groups.
std::vector<int64_t> batched_nms(std::span<const CornerBox> boxes, std::span<const float> scores,
                                 std::span<const int32_t> groups, double iou_threshold);

}  // namespace suanli::ops
