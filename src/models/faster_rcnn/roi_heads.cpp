#include "models/faster_rcnn/roi_heads.h"

#include <algorithm>
#include <cmath>

#include "ops/activation.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/roi_align.h"

namespace suanli::models {
namespace {

constexpr int64_t kBins = 7, kSamples = 2;  // of a region along each side; of a bin
constexpr double kRegionBeta = 1.0 / 9;
constexpr float kLeastDetection = 1e-2F;  // its sides, in pixels

/// Places of a map for a pixel, a power of two.
double scale_of(const Tensor& map, const PictureSizes& sizes) {
  return std::exp2(std::round(std::log2(static_cast<double>(map.dim(1)) / static_cast<double>(sizes.height))));
}

/// The map that a box is looked up in: one of 224 pixels at the scale 1/16, one half as long on the next larger map
/// (Lin et al. 2017, equation 1; torchvision's LevelMapper).
size_t map_of(const CornerBox& box, const std::vector<double>& scales) {
  const double level = std::floor(4 + std::log2(std::sqrt(static_cast<double>(box.area())) / 224) + 1e-6);
  const double wanted = std::clamp(level, -std::log2(scales.front()), -std::log2(scales.back()));
  return static_cast<size_t>(wanted + std::log2(scales.front()));
}

std::vector<float> softmax(std::span<const float> logits) {
  std::vector<float> out(logits.begin(), logits.end());
  const float largest = std::ranges::max(out);
  float sum = 0;
  for (float& x : out) sum += x = std::exp(x - largest);
  for (float& x : out) x /= sum;
  return out;
}

}  // namespace

RoiHeads::RoiHeads(nn::ParameterScope scope, const FasterRcnnConfig& config)
    : config_(config),
      classes_(label_count(config) + 1),
      site_(scope.next_site()),
      fc6_(scope / "box_head.fc6", config.channels * kBins * kBins, config.representation_size),
      fc7_(scope / "box_head.fc7", config.representation_size, config.representation_size),
      class_score_(scope / "box_predictor.cls_score", config.representation_size, classes_),
      box_deltas_(scope / "box_predictor.bbox_pred", config.representation_size, 4 * classes_) {}

std::vector<RoiHeads::Answers> RoiHeads::answers(const std::vector<Tensor>& maps, const std::vector<Region>& regions,
                                                 const PictureSizes& sizes) const {
  std::vector<double> scales;
  for (const Tensor& map : maps) scales.push_back(scale_of(map, sizes));
  std::vector<Answers> out(maps.size());
  for (const Region& region : regions) out[map_of(region.box, scales)].regions.push_back(region);
  for (size_t i = 0; i < maps.size(); ++i) {
    const auto count = std::ssize(out[i].regions);
    if (count == 0) continue;
    std::vector<float> boxes;
    std::vector<int32_t> pictures;
    for (const Region& region : out[i].regions) {
      boxes.insert(boxes.end(), {region.box.x1, region.box.y1, region.box.x2, region.box.y2});
      pictures.push_back(region.picture);
    }
    const Tensor under =
        ops::roi_align(maps[i], Tensor::from(boxes, {count, 4}), Tensor::from(pictures, {count}),
                       {.output_size = {kBins, kBins}, .spatial_scale = scales[i], .sampling_ratio = kSamples});
    // The order of PyTorch's flatten.
    const Tensor rows = ops::reshape(ops::channels_first(under), {count, under.elements() / count});
    const Tensor x = ops::relu(fc7_(ops::relu(fc6_(rows))));
    out[i].logits = ops::cast(class_score_(x), DType::f32);
    out[i].deltas = ops::reshape(ops::cast(box_deltas_(x), DType::f32), {count * classes_, 4});
  }
  std::erase_if(out, [](const Answers& each) { return each.regions.empty(); });
  return out;
}

std::vector<Detection> RoiHeads::remaining(const std::vector<Detection>& found) const {
  std::vector<CornerBox> boxes;
  std::vector<float> scores;
  std::vector<int32_t> labels;
  for (const Detection& each : found) {
    boxes.push_back(each.box);
    scores.push_back(each.score);
    labels.push_back(each.label);
  }
  std::vector<Detection> out;
  for (const int64_t i : ops::batched_nms(boxes, scores, labels, config_.box_nms_thresh)) {
    if (std::ssize(out) == config_.box_detections_per_img) break;
    out.push_back(found[static_cast<size_t>(i)]);
  }
  return out;
}

std::vector<std::vector<Detection>> RoiHeads::detect(const std::vector<Tensor>& maps,
                                                     const std::vector<std::vector<CornerBox>>& proposals,
                                                     const PictureSizes& sizes) const {
  std::vector<Region> regions;
  for (size_t b = 0; b < proposals.size(); ++b) {
    for (const CornerBox& box : proposals[b]) regions.push_back({box, static_cast<int32_t>(b)});
  }
  std::vector<std::vector<Detection>> found(proposals.size());
  const auto classes = static_cast<size_t>(classes_);
  for (const Answers& answer : answers(maps, regions, sizes)) {
    const std::vector<float> logits = values_on_host(answer.logits), deltas = values_on_host(answer.deltas);
    for (size_t n = 0; n < answer.regions.size(); ++n) {
      const std::vector<float> scores = softmax(std::span(logits).subspan(n * classes, classes));
      for (size_t c = 1; c < classes; ++c) {
        if (!(static_cast<double>(scores[c]) > config_.box_score_thresh)) continue;
        const std::span<const float, 4> delta(&deltas[(n * classes + c) * 4], 4);
        const CornerBox box = clipped(kBoxCoder.decode(answer.regions[n].box, delta), sizes.height, sizes.width);
        if (!(box.width() >= kLeastDetection && box.height() >= kLeastDetection)) continue;
        found[static_cast<size_t>(answer.regions[n].picture)].push_back({box, static_cast<int32_t>(c) - 1, scores[c]});
      }
    }
  }
  for (std::vector<Detection>& each : found) each = remaining(each);
  return found;
}

void RoiHeads::add_losses(const std::vector<Tensor>& maps, std::vector<std::vector<CornerBox>> proposals,
                          const std::vector<PictureObjects>& objects, const PictureSizes& sizes, const nn::Mode& mode,
                          DetectionLosses& losses) const {
  std::vector<Region> regions;
  for (size_t b = 0; b < proposals.size(); ++b) {
    std::vector<CornerBox>& boxes = proposals[b];
    boxes.insert(boxes.end(), objects[b].boxes.begin(), objects[b].boxes.end());
    const std::vector<int64_t> matches = match_boxes(objects[b].boxes, boxes, config_.box, false);
    RandomGenerator random({mode.seed, mode.step, site_}, uint64_t{b} << 32);
    const SampledBoxes chosen = sample_boxes(matches, config_.box, random);
    for (const int64_t i : chosen.positive) {
      const auto object = static_cast<size_t>(matches[static_cast<size_t>(i)]);
      regions.push_back({boxes[static_cast<size_t>(i)], static_cast<int32_t>(b),
                         static_cast<int32_t>(objects[b].classes[object]), objects[b].boxes[object]});
    }
    for (const int64_t i : chosen.negative) regions.push_back({boxes[static_cast<size_t>(i)], static_cast<int32_t>(b)});
  }
  const auto normalizer = static_cast<double>(std::max<int64_t>(std::ssize(regions), 1));
  for (const Answers& answer : answers(maps, regions, sizes)) {
    std::vector<int32_t> labels;
    ChosenRows chosen;
    for (size_t n = 0; n < answer.regions.size(); ++n) {
      const Region& region = answer.regions[n];
      labels.push_back(region.target_class);
      if (region.target_class == 0) continue;
      const auto delta = kBoxCoder.encode(region.box, region.target_box);
      chosen.rows.push_back(static_cast<int32_t>(static_cast<int64_t>(n) * classes_ + region.target_class));
      chosen.targets.insert(chosen.targets.end(), delta.begin(), delta.end());
    }
    const Tensor wanted = Tensor::from(labels, {std::ssize(labels)});
    add_term(losses.classifier, ops::cross_entropy(answer.logits, wanted, {.normalizer = normalizer}));
    if (chosen.rows.empty()) continue;
    const Tensor x = ops::index_select(answer.deltas, Tensor::from(chosen.rows, {std::ssize(chosen.rows)}));
    const Tensor targets = Tensor::from(chosen.targets, x.shape()).on(x.device());
    add_term(losses.box_reg, ops::smooth_l1_loss(x, targets, kRegionBeta, normalizer));
  }
}

}  // namespace suanli::models
