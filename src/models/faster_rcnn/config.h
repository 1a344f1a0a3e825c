/// The configuration of Faster R-CNN.
#pragma once

#include <memory>
#include <vector>

#include "models/config.h"

namespace suanli::models {

/// Which boxes are of an object, and how many of them a loss takes of each picture.
struct BoxSampling {
  double foreground_iou, background_iou;  ///< at least; below
  int64_t count;
  double positive_share;  ///< at most
};

/// By the names of torchvision.models.detection.FasterRCNN and resnet_fpn_backbone, with their defaults.
struct FasterRcnnConfig : ModelConfig {
  Json backbone = {};                                   ///< "backbone_config"
  std::vector<int64_t> returned_layers = {1, 2, 3, 4};  ///< the stages of the backbone, from 1, that are looked at
  bool frozen_statistics = false;                       ///< of the backbone's batch normalisation
  int64_t channels = 256;                               ///< of the pyramid ("out_channels")
  int64_t representation_size = 1024;                   ///< of the two layers over a box
  std::vector<double> anchor_sizes = {32, 64, 128, 256, 512};  ///< one for each layer, and one for the smallest map
  std::vector<double> aspect_ratios = {0.5, 1, 2};
  int64_t rpn_pre_nms_top_n_train = 2000, rpn_pre_nms_top_n_test = 1000;
  int64_t rpn_post_nms_top_n_train = 2000, rpn_post_nms_top_n_test = 1000;
  double rpn_nms_thresh = 0.7, box_score_thresh = 0.05, box_nms_thresh = 0.5;
  int64_t box_detections_per_img = 100;
  BoxSampling rpn = {0.7, 0.3, 256, 0.5}, box = {0.5, 0.5, 512, 0.25};
};

/// "model_type": "faster_rcnn" with "backbone_config", the config.json of a classifier. Throws UserError for what is
/// missing or out of range.
FasterRcnnConfig faster_rcnn_config(const Json& json, const std::string& where);

}  // namespace suanli::models
