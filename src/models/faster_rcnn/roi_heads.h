/// The second half of a detector: of which class the proposals are, and where exactly (Girshick 2015; torchvision's
/// RoIHeads with TwoMLPHead and FastRCNNPredictor).
#pragma once

#include <vector>

#include "models/faster_rcnn/region_proposals.h"
#include "nn/layers.h"

namespace suanli::models {

class RoiHeads {
 public:
  /// Parameters box_head.fc6, box_head.fc7, box_predictor.cls_score and box_predictor.bbox_pred.
  RoiHeads(nn::ParameterScope scope, const FasterRcnnConfig& config);
  /// Of each picture, best score first. maps [B,h,w,channels], the largest first.
  std::vector<std::vector<Detection>> detect(const std::vector<Tensor>& maps,
                                             const std::vector<std::vector<CornerBox>>& proposals,
                                             const PictureSizes& sizes) const;
  /// Fills classifier and box_reg: cross-entropy and smooth L1 (beta 1/9) over proposals and objects, sampled.
  void add_losses(const std::vector<Tensor>& maps, std::vector<std::vector<CornerBox>> proposals,
                  const std::vector<PictureObjects>& objects, const PictureSizes& sizes, const nn::Mode& mode,
                  DetectionLosses& losses) const;

 private:
  /// A box, what the loss wants of it, and in which picture and at which place among its boxes it lies.
  struct Region {
    CornerBox box;
    int32_t picture = 0;
    int32_t target_class = 0;
    CornerBox target_box = {};
  };
  /// What the network says of the regions that one map is asked for.
  struct Answers {
    std::vector<Region> regions;
    Tensor logits;  ///< [N, classes] f32, the first of the background
    Tensor deltas;  ///< [N classes, 4] f32
  };
  std::vector<Answers> answers(const std::vector<Tensor>& maps, const std::vector<Region>& regions,
                               const PictureSizes& sizes) const;
  std::vector<Detection> remaining(const std::vector<Detection>& found) const;

  FasterRcnnConfig config_;
  int64_t classes_;  ///< with the background
  uint32_t site_;
  nn::Linear fc6_, fc7_, class_score_, box_deltas_;
};

}  // namespace suanli::models
