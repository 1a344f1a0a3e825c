#include "models/faster_rcnn/region_proposals.h"

#include <algorithm>
#include <numeric>

#include "base/concat.h"
#include "base/error.h"
#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/layout.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

constexpr double kBeta = 1.0 / 9;    // of smooth L1, as in torchvision
constexpr float kLeastSide = 1e-3F;  // of a proposal, in pixels

nn::Conv2d::Options small_values(int64_t kernel) {
  return {.kernel = kernel,
          .window = {.padding = {kernel / 2, kernel / 2}},
          .bias = true,
          .weight = nn::normal(0.01),
          .bias_values = nn::zeros()};
}

CornerBox box_at(std::span<const float> values, int64_t row) {
  const float* v = &values[static_cast<size_t>(row) * 4];
  return {v[0], v[1], v[2], v[3]};
}

}  // namespace

void add_term(Tensor& sum, const Tensor& term) { sum = sum.defined() ? ops::add(sum, term) : term; }

std::vector<float> values_on_host(const Tensor& tensor) {
  const Tensor host = tensor.to(Device{});
  return {host.host<float>().begin(), host.host<float>().end()};
}

std::vector<PictureObjects> objects_of(const DetectionTargets& targets, int64_t pictures, int64_t classes) {
  const auto boxes = targets.boxes.host<float>();
  const auto labels = targets.labels.host<int32_t>(), offsets = targets.offsets.host<int32_t>();
  SUANLI_ASSERT(std::ssize(offsets) == pictures + 1 && boxes.size() == 4 * labels.size());
  std::vector<PictureObjects> out(static_cast<size_t>(pictures));
  for (size_t b = 0; b < out.size(); ++b) {
    for (int32_t i = offsets[b]; i < offsets[b + 1]; ++i) {
      const CornerBox box = box_at(boxes, i);
      const int32_t label = labels[static_cast<size_t>(i)];
      if (!(box.width() > 0 && box.height() > 0) || label < 0 || label >= classes) {
        throw UserError("detection_losses",
                        concat("expected boxes with an area and labels in 0..", classes - 1, ", got a box of ",
                               box.width(), " x ", box.height(), ", label ", label));
      }
      out[b].boxes.push_back(box);
      out[b].classes.push_back(label + 1);
    }
  }
  return out;
}

RegionProposals::RegionProposals(nn::ParameterScope scope, const FasterRcnnConfig& config)
    : config_(config),
      site_(scope.next_site()),
      convolution_(scope / "head.conv.0.0", config.channels, config.channels, small_values(3)),
      objectness_(scope / "head.cls_logits", config.channels, std::ssize(config.aspect_ratios), small_values(1)),
      deltas_(scope / "head.bbox_pred", config.channels, 4 * std::ssize(config.aspect_ratios), small_values(1)) {}

std::vector<AnchorScores> RegionProposals::scores(const std::vector<Tensor>& maps, const PictureSizes& sizes) const {
  std::vector<AnchorScores> out;
  for (size_t i = 0; i < maps.size(); ++i) {
    const Tensor x = ops::relu(convolution_(maps[i]));
    const Tensor objectness = ops::cast(objectness_(x), DType::f32), deltas = ops::cast(deltas_(x), DType::f32);
    out.push_back(
        {ops::reshape(objectness, {objectness.elements(), 1}), ops::reshape(deltas, {objectness.elements(), 4}),
         grid_anchors(x.dim(1), x.dim(2), sizes.height, sizes.width, config_.anchor_sizes[i], config_.aspect_ratios)});
  }
  return out;
}

std::vector<std::vector<CornerBox>> RegionProposals::proposals(const std::vector<AnchorScores>& maps,
                                                               const PictureSizes& sizes, bool training) const {
  const int64_t before = training ? config_.rpn_pre_nms_top_n_train : config_.rpn_pre_nms_top_n_test;
  const int64_t after = training ? config_.rpn_post_nms_top_n_train : config_.rpn_post_nms_top_n_test;
  struct Candidates {
    std::vector<CornerBox> boxes;
    std::vector<float> scores;
    std::vector<int32_t> maps;
  };
  std::vector<Candidates> all(static_cast<size_t>(sizes.pictures));
  for (size_t map = 0; map < maps.size(); ++map) {
    const std::vector<CornerBox>& anchors = maps[map].anchors;
    const std::vector<float> scores = values_on_host(maps[map].objectness), deltas = values_on_host(maps[map].deltas);
    for (size_t b = 0; b < all.size(); ++b) {
      const size_t first = b * anchors.size();
      for (const int64_t i : best_scores(std::span(scores).subspan(first, anchors.size()), before)) {
        const auto place = static_cast<size_t>(i);
        const std::span<const float, 4> delta(&deltas[(first + place) * 4], 4);
        const CornerBox box = clipped(kAnchorCoder.decode(anchors[place], delta), sizes.height, sizes.width);
        if (!(box.width() >= kLeastSide && box.height() >= kLeastSide)) continue;
        all[b].boxes.push_back(box);
        all[b].scores.push_back(scores[first + place]);
        all[b].maps.push_back(static_cast<int32_t>(map));
      }
    }
  }
  std::vector<std::vector<CornerBox>> out(all.size());
  for (size_t b = 0; b < all.size(); ++b) {
    std::vector<int64_t> kept = ops::batched_nms(all[b].boxes, all[b].scores, all[b].maps, config_.rpn_nms_thresh);
    if (std::ssize(kept) > after) kept.resize(static_cast<size_t>(after));
    for (const int64_t i : kept) out[b].push_back(all[b].boxes[static_cast<size_t>(i)]);
  }
  return out;
}

void RegionProposals::add_losses(const std::vector<AnchorScores>& maps, const std::vector<PictureObjects>& objects,
                                 const nn::Mode& mode, DetectionLosses& losses) const {
  std::vector<CornerBox> anchors;
  std::vector<int64_t> begin = {0};  // of the anchors of each map
  for (const AnchorScores& map : maps) {
    anchors.insert(anchors.end(), map.anchors.begin(), map.anchors.end());
    begin.push_back(std::ssize(anchors));
  }
  std::vector<ChosenRows> objectness(maps.size()), deltas(maps.size());
  int64_t sampled = 0;
  for (size_t b = 0; b < objects.size(); ++b) {
    const std::vector<int64_t> matches = match_boxes(objects[b].boxes, anchors, config_.rpn, true);
    RandomGenerator random({mode.seed, mode.step, site_}, uint64_t{b} << 32);
    const SampledBoxes chosen = sample_boxes(matches, config_.rpn, random);
    sampled += std::ssize(chosen.positive) + std::ssize(chosen.negative);
    const auto take = [&](int64_t anchor, float target) {
      const auto map = static_cast<size_t>(std::ranges::upper_bound(begin, anchor) - begin.begin() - 1);
      const int64_t row = static_cast<int64_t>(b) * std::ssize(maps[map].anchors) + anchor - begin[map];
      objectness[map].rows.push_back(static_cast<int32_t>(row));
      objectness[map].targets.push_back(target);
      if (target == 0) return;
      const CornerBox& object = objects[b].boxes[static_cast<size_t>(matches[static_cast<size_t>(anchor)])];
      const auto delta = kAnchorCoder.encode(anchors[static_cast<size_t>(anchor)], object);
      deltas[map].rows.push_back(static_cast<int32_t>(row));
      deltas[map].targets.insert(deltas[map].targets.end(), delta.begin(), delta.end());
    };
    for (const int64_t anchor : chosen.positive) take(anchor, 1);
    for (const int64_t anchor : chosen.negative) take(anchor, 0);
  }
  const auto normalizer = static_cast<double>(std::max<int64_t>(sampled, 1));
  for (size_t map = 0; map < maps.size(); ++map) {
    const auto chosen = [](const Tensor& all, const ChosenRows& choice) {
      return ops::index_select(all, Tensor::from(choice.rows, {std::ssize(choice.rows)}));
    };
    const auto targets = [](const Tensor& x, const ChosenRows& choice) {
      return Tensor::from(choice.targets, x.shape()).on(x.device());
    };
    if (!objectness[map].rows.empty()) {
      const Tensor x = chosen(maps[map].objectness, objectness[map]);
      add_term(losses.objectness, ops::bce_with_logits(x, targets(x, objectness[map]), normalizer));
    }
    if (!deltas[map].rows.empty()) {
      const Tensor x = chosen(maps[map].deltas, deltas[map]);
      add_term(losses.rpn_box_reg, ops::smooth_l1_loss(x, targets(x, deltas[map]), kBeta, normalizer));
    }
  }
}

}  // namespace suanli::models
