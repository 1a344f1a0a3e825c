#include "models/faster_rcnn/faster_rcnn.h"

namespace suanli::models {
namespace {

PictureSizes sizes_of(const Tensor& pixels) { return {pixels.dim(0), pixels.dim(1), pixels.dim(2)}; }

/// Regions are not looked up in the last map, which has no stage of the backbone.
std::vector<Tensor> maps_of_stages(const std::vector<Tensor>& maps) { return {maps.begin(), maps.end() - 1}; }

std::vector<int64_t> returned_widths(const FasterRcnnConfig& config, const ImageBody& body) {
  const std::vector<int64_t> widths = body.widths();
  return {widths.end() - std::ssize(config.returned_layers), widths.end()};
}

}  // namespace

FasterRcnn::FasterRcnn(nn::ParameterScope scope, const FasterRcnnConfig& config, std::unique_ptr<ImageBody> body)
    : config_(config),
      body_(std::move(body)),
      pyramid_(scope / "backbone.fpn", returned_widths(config, *body_), config.channels),
      region_proposals_(scope / "rpn", config),
      roi_heads_(scope / "roi_heads", config) {}

std::vector<Tensor> FasterRcnn::maps(const Tensor& pixels, const nn::Mode& mode) const {
  nn::Mode of_body = mode;
  of_body.training = mode.training && !config_.frozen_statistics;
  const std::vector<Tensor> stages = body_->stages(pixels, of_body);
  return pyramid_({stages.end() - std::ssize(config_.returned_layers), stages.end()});
}

DetectionLosses FasterRcnn::detection_losses(const Tensor& pixels, const DetectionTargets& targets,
                                             const nn::Mode& mode) const {
  const PictureSizes sizes = sizes_of(pixels);
  const std::vector<PictureObjects> objects = objects_of(targets, sizes.pictures, label_count(config_));
  const std::vector<Tensor> all = maps(pixels, mode);
  const std::vector<AnchorScores> scores = region_proposals_.scores(all, sizes);
  DetectionLosses losses;
  region_proposals_.add_losses(scores, objects, mode, losses);
  roi_heads_.add_losses(maps_of_stages(all), region_proposals_.proposals(scores, sizes, mode.training), objects, sizes,
                        mode, losses);
  for (Tensor* loss : {&losses.objectness, &losses.rpn_box_reg, &losses.classifier, &losses.box_reg}) {
    if (!loss->defined()) *loss = Tensor::zeros({1}, DType::f32, pixels.device());
  }
  return losses;
}

std::vector<std::vector<Detection>> FasterRcnn::detect(const Tensor& pixels, const nn::Mode& mode) const {
  const PictureSizes sizes = sizes_of(pixels);
  const std::vector<Tensor> all = maps(pixels, mode);
  const auto proposals = region_proposals_.proposals(region_proposals_.scores(all, sizes), sizes, mode.training);
  return roi_heads_.detect(maps_of_stages(all), proposals, sizes);
}

}  // namespace suanli::models
