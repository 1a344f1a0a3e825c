/// The arithmetic of boxes in a detector: anchors, differences between boxes as numbers that a network learns, which
/// box is of which object, and which of them a loss takes. All on the host.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/random.h"
#include "models/faster_rcnn/config.h"
#include "ops/nms.h"

namespace suanli::models {

using ops::CornerBox;

/// Anchors of a map [height, width] over a picture of picture_height x picture_width, around the corner of each place:
/// `ratios` of height to width, each of the area size^2, whole pixels; in the order (row, column, ratio) (torchvision's
/// AnchorGenerator).
std::vector<CornerBox> grid_anchors(int64_t height, int64_t width, int64_t picture_height, int64_t picture_width,
                                    double size, std::span<const double> ratios);

/// The part of a box inside a picture of height x width.
CornerBox clipped(const CornerBox& box, int64_t height, int64_t width);

/// How boxes differ (Girshick et al. 2014, appendix C; torchvision's BoxCoder): the way between centres in sides of
/// the first, and the logarithms of the ratios of sides, times weights.
struct BoxCoder {
  std::array<float, 4> weights;
  std::array<float, 4> encode(const CornerBox& from, const CornerBox& to) const;
  /// The box that encode() would give `deltas` for; no side more than 1000 / 16 times as long.
  CornerBox decode(const CornerBox& from, std::span<const float, 4> deltas) const;
};
inline constexpr BoxCoder kAnchorCoder = {{1, 1, 1, 1}}, kBoxCoder = {{10, 10, 5, 5}};

inline constexpr int64_t kBackground = -1;  ///< a box of no object
inline constexpr int64_t kBetween = -2;     ///< neither of an object nor surely of none

/// For each box the object that it overlaps most, or kBackground below one threshold and kBetween below the other.
/// `keep_best`: the boxes that overlap an object most of all are of what they overlap most, below any threshold
/// (torchvision's Matcher, for objects that some box overlaps).
std::vector<int64_t> match_boxes(std::span<const CornerBox> objects, std::span<const CornerBox> boxes,
                                 const BoxSampling& thresholds, bool keep_best);

/// The places of the boxes that a loss takes of those matched: first those of objects, at most positive_share of count,
/// then of the background as many as are missing to count; all alike likely (BalancedPositiveNegativeSampler).
struct SampledBoxes {
  std::vector<int64_t> positive, negative;
};
SampledBoxes sample_boxes(std::span<const int64_t> matches, const BoxSampling& sampling, RandomGenerator& random);

/// The `count` places of the largest scores, best first; NaN is none.
std::vector<int64_t> best_scores(std::span<const float> scores, int64_t count);

}  // namespace suanli::models
