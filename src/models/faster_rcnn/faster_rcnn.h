/// Faster R-CNN (Ren et al. 2015) over a feature pyramid: torchvision.models.detection.FasterRCNN.
#pragma once

#include <memory>

#include "models/faster_rcnn/pyramid.h"
#include "models/faster_rcnn/roi_heads.h"
#include "models/image_body.h"
#include "models/network.h"

namespace suanli::models {

class FasterRcnn final : public Network {
 public:
  /// Over the body of as many stages as config.returned_layers names.
  FasterRcnn(nn::ParameterScope scope, const FasterRcnnConfig& config, std::unique_ptr<ImageBody> body);
  DetectionLosses detection_losses(const Tensor& pixels, const DetectionTargets& targets,
                                   const nn::Mode& mode) const override;
  std::vector<std::vector<Detection>> detect(const Tensor& pixels, const nn::Mode& mode) const override;
  /// Proposals are chosen on the host: no recording of one batch may stand for another.
  bool lengths_decide_launches() const override { return true; }

 private:
  /// Those of the pyramid, the largest first.
  std::vector<Tensor> maps(const Tensor& pixels, const nn::Mode& mode) const;

  FasterRcnnConfig config_;
  std::unique_ptr<ImageBody> body_;
  FeaturePyramid pyramid_;
  RegionProposals region_proposals_;
  RoiHeads roi_heads_;
};

}  // namespace suanli::models
