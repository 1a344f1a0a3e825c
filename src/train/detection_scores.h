/// How well boxes are found: COCO's average precision and recall.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/annotated.h"
#include "infer/found_objects.h"
#include "train/metrics.h"

namespace suanli {

using DetectedObject = infer::FoundObject;

/// The area that two boxes share, over that which they cover together.
double box_iou(const Box& a, const Box& b);

/// Counts picture by picture. At most the 100 best of each class in a picture count.
class DetectionScores {
 public:
  explicit DetectionScores(int32_t classes) : truth_(static_cast<size_t>(classes)), found_(truth_.size()) {}

  /// The objects of one picture and what was found in it.
  void add(std::span<const ImageObject> truth, std::span<const DetectedObject> found);

  /// By torchmetrics' names: map (the mean over IoU 0.50, 0.55, ..., 0.95), map_50, map_75, map_small (area under
  /// 32^2), map_medium (to 96^2), map_large; mar_1, mar_10, mar_100 (recall with so many answers a picture), mar_small,
  /// ...; means over the classes that occur; NaN where none does. Equal to pycocotools' COCOeval of boxes, whose area
  /// of an object is here that of its box.
  Scores scores() const;

 private:
  struct Truth {
    Box box;
    bool ignored = false;
  };
  struct Found {
    Box box;
    float score = 0;
  };
  template <class T>
  using ByClassAndPicture = std::vector<std::vector<std::vector<T>>>;

  struct AreaRange;
  struct Curves;
  Curves curves(size_t label, const AreaRange& range, size_t most) const;

  ByClassAndPicture<Truth> truth_;
  ByClassAndPicture<Found> found_;  ///< best first
};

}  // namespace suanli
