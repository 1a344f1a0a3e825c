#include "ops/nms.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace suanli::ops {

float box_iou(const CornerBox& a, const CornerBox& b) {
  const float width = std::max(0.0F, std::min(a.x2, b.x2) - std::max(a.x1, b.x1));
  const float height = std::max(0.0F, std::min(a.y2, b.y2) - std::max(a.y1, b.y1));
  const float shared = width * height;
  return shared / (a.area() + b.area() - shared);
}

std::vector<int64_t> batched_nms(std::span<const CornerBox> boxes, std::span<const float> scores,
                                 std::span<const int32_t> groups, double iou_threshold) {
  SUANLI_ASSERT(scores.size() == boxes.size() && groups.size() == boxes.size());
  std::vector<size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  std::vector<uint8_t> covered(boxes.size());
  std::vector<int64_t> kept;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t best = order[i];
    if (covered[best] != 0) continue;
    kept.push_back(static_cast<int64_t>(best));
    for (size_t k = i + 1; k < order.size(); ++k) {
      const size_t other = order[k];
      if (covered[other] != 0 || groups[other] != groups[best]) continue;
      if (static_cast<double>(box_iou(boxes[best], boxes[other])) > iou_threshold) covered[other] = 1;
    }
  }
  return kept;
}

std::vector<int64_t> nms(std::span<const CornerBox> boxes, std::span<const float> scores, double iou_threshold) {
  return batched_nms(boxes, scores, std::vector<int32_t>(boxes.size()), iou_threshold);
}

}  // namespace suanli::ops
