#include "models/faster_rcnn/config.h"

#include "base/concat.h"
#include "base/error.h"
#include "models/image_labels.h"

namespace suanli::models {
namespace {

constexpr int64_t kMost = 100000;  // boxes, or channels

void read_count(const Json& json, const char* key, int64_t& value, const std::string& where) {
  if (json.contains(key)) value = config_size(json, key, 1, where);
  if (value > kMost) throw UserError(where, concat("expected \"", key, "\" up to ", kMost, ", got ", value));
}

void read_share(const Json& json, const char* key, double& value, const std::string& where) {
  value = json_get_or<double>(json, key, value, where);
  if (!(value >= 0 && value <= 1)) {
    throw UserError(where, concat("expected \"", key, "\" in [0, 1], got ", value));
  }
}

void read_positive(const Json& json, const char* key, std::vector<double>& values, const std::string& where) {
  values = json_get_or<std::vector<double>>(json, key, values, where);
  for (const double each : values) {
    if (!(each > 0 && each <= 1 << 16)) {
      throw UserError(where, concat("expected \"", key, "\" above 0 and up to 65536, got ", each));
    }
  }
}

void read_layers(const Json& json, const std::string& where, FasterRcnnConfig& config) {
  if (json.contains("returned_layers")) config.returned_layers = config_widths(json, "returned_layers", where);
  const std::vector<int64_t>& layers = config.returned_layers;
  if (layers.empty()) throw UserError(where, "expected at least one of \"returned_layers\", got none");
  for (size_t i = 1; i < layers.size(); ++i) {
    if (layers[i] != layers[i - 1] + 1) {
      throw UserError(
          where, concat("expected \"returned_layers\" one after another, got ", layers[i - 1], " before ", layers[i]));
    }
  }
  read_positive(json, "anchor_sizes", config.anchor_sizes, where);
  if (config.anchor_sizes.size() != layers.size() + 1) {
    throw UserError(where,
                    concat("expected ", layers.size() + 1, " \"anchor_sizes\", one more than returned_layers, got ",
                           config.anchor_sizes.size()));
  }
  read_positive(json, "aspect_ratios", config.aspect_ratios, where);
  if (config.aspect_ratios.empty() || config.aspect_ratios.size() > 64) {
    throw UserError(where, concat("expected 1 to 64 \"aspect_ratios\", got ", config.aspect_ratios.size()));
  }
}

}  // namespace

FasterRcnnConfig faster_rcnn_config(const Json& json, const std::string& where) {
  FasterRcnnConfig config;
  read_image_config(json, where, config);
  if (!json.contains("backbone_config") || !json["backbone_config"].is_object()) {
    throw UserError(where, "expected an object \"backbone_config\", the config.json of a classifier");
  }
  config.backbone = json["backbone_config"];
  if (json_get<std::string>(config.backbone, "model_type", where + " backbone_config") == "faster_rcnn") {
    throw UserError(where, "expected a classifier as \"backbone_config\", got a faster_rcnn");
  }
  read_layers(json, where, config);
  config.frozen_statistics = json_get_or<bool>(json, "frozen_statistics", false, where);
  read_count(json, "out_channels", config.channels, where);
  read_count(json, "representation_size", config.representation_size, where);
  read_count(json, "rpn_pre_nms_top_n_train", config.rpn_pre_nms_top_n_train, where);
  read_count(json, "rpn_pre_nms_top_n_test", config.rpn_pre_nms_top_n_test, where);
  read_count(json, "rpn_post_nms_top_n_train", config.rpn_post_nms_top_n_train, where);
  read_count(json, "rpn_post_nms_top_n_test", config.rpn_post_nms_top_n_test, where);
  read_count(json, "box_detections_per_img", config.box_detections_per_img, where);
  read_share(json, "rpn_nms_thresh", config.rpn_nms_thresh, where);
  read_share(json, "box_score_thresh", config.box_score_thresh, where);
  read_share(json, "box_nms_thresh", config.box_nms_thresh, where);
  const auto read_sampling = [&](const std::string& prefix, BoxSampling& sampling) {
    read_share(json, (prefix + "fg_iou_thresh").c_str(), sampling.foreground_iou, where);
    read_share(json, (prefix + "bg_iou_thresh").c_str(), sampling.background_iou, where);
    read_share(json, (prefix + "positive_fraction").c_str(), sampling.positive_share, where);
    read_count(json, (prefix + "batch_size_per_image").c_str(), sampling.count, where);
    if (sampling.background_iou > sampling.foreground_iou) {
      throw UserError(where, concat("expected \"", prefix, "bg_iou_thresh\" up to \"", prefix, "fg_iou_thresh\", got ",
                                    sampling.background_iou, " and ", sampling.foreground_iou));
    }
  };
  read_sampling("rpn_", config.rpn);
  read_sampling("box_", config.box);
  return config;
}

}  // namespace suanli::models
