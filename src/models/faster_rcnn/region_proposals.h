/// The region proposal network (Ren et al. 2015): where in a picture there may be an object, of whatever class.
#pragma once

#include <vector>

#include "models/detection.h"
#include "models/faster_rcnn/boxes.h"
#include "nn/images.h"

namespace suanli::models {

/// The sides of the pictures of a batch, and how many they are.
struct PictureSizes {
  int64_t pictures, height, width;
};

/// The objects of each picture, with classes from 1: 0 is the background. Throws UserError for boxes without an area
/// and labels outside 0..classes - 1.
struct PictureObjects {
  std::vector<CornerBox> boxes;
  std::vector<int64_t> classes;
};
std::vector<PictureObjects> objects_of(const DetectionTargets& targets, int64_t pictures, int64_t classes);

/// What the network says of the M anchors of one map.
struct AnchorScores {
  Tensor objectness;  ///< [B M, 1] f32, logits
  Tensor deltas;      ///< [B M, 4] f32, from the anchor to the object
  std::vector<CornerBox> anchors;
};

/// The part of a sum of losses that one map gives: row `rows[i]` of its scores has target i.
struct ChosenRows {
  std::vector<int32_t> rows;
  std::vector<float> targets;
};

class RegionProposals {
 public:
  /// Parameters head.conv.0.0, head.cls_logits and head.bbox_pred.
  RegionProposals(nn::ParameterScope scope, const FasterRcnnConfig& config);
  /// Of each map [B,h,w,channels].
  std::vector<AnchorScores> scores(const std::vector<Tensor>& maps, const PictureSizes& sizes) const;
  /// The boxes of each picture that remain of the best of each map.
  std::vector<std::vector<CornerBox>> proposals(const std::vector<AnchorScores>& maps, const PictureSizes& sizes,
                                                bool training) const;
  /// Fills objectness and rpn_box_reg: binary cross-entropy and smooth L1 (beta 1/9) over sampled anchors.
  void add_losses(const std::vector<AnchorScores>& maps, const std::vector<PictureObjects>& objects,
                  const nn::Mode& mode, DetectionLosses& losses) const;

 private:
  FasterRcnnConfig config_;
  uint32_t site_;
  nn::Conv2d convolution_, objectness_, deltas_;
};

/// Adds term to sum, which may be undefined.
void add_term(Tensor& sum, const Tensor& term);

/// The values of an f32 tensor on the host.
std::vector<float> values_on_host(const Tensor& tensor);

}  // namespace suanli::models
