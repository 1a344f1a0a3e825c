#include "models/faster_rcnn/boxes.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace suanli::models {

std::vector<CornerBox> grid_anchors(int64_t height, int64_t width, int64_t picture_height, int64_t picture_width,
                                    double size, std::span<const double> ratios) {
  std::vector<CornerBox> base;
  for (const double ratio : ratios) {
    const float down = std::sqrt(static_cast<float>(ratio)), across = 1 / down;
    const float x = std::nearbyint(across * static_cast<float>(size) / 2);
    const float y = std::nearbyint(down * static_cast<float>(size) / 2);
    base.push_back({-x, -y, x, y});
  }
  const int64_t row_step = picture_height / height, column_step = picture_width / width;
  std::vector<CornerBox> anchors;
  anchors.reserve(static_cast<size_t>(height * width) * base.size());
  for (int64_t row = 0; row < height; ++row) {
    for (int64_t column = 0; column < width; ++column) {
      const auto x = static_cast<float>(column * column_step), y = static_cast<float>(row * row_step);
      for (const CornerBox& b : base) anchors.push_back({x + b.x1, y + b.y1, x + b.x2, y + b.y2});
    }
  }
  return anchors;
}

CornerBox clipped(const CornerBox& box, int64_t height, int64_t width) {
  const auto within = [](float value, int64_t side) { return std::clamp(value, 0.0F, static_cast<float>(side)); };
  return {within(box.x1, width), within(box.y1, height), within(box.x2, width), within(box.y2, height)};
}

std::array<float, 4> BoxCoder::encode(const CornerBox& from, const CornerBox& to) const {
  const float x = from.x1 + 0.5F * from.width(), y = from.y1 + 0.5F * from.height();
  const float to_x = to.x1 + 0.5F * to.width(), to_y = to.y1 + 0.5F * to.height();
  return {weights[0] * (to_x - x) / from.width(), weights[1] * (to_y - y) / from.height(),
          weights[2] * std::log(to.width() / from.width()), weights[3] * std::log(to.height() / from.height())};
}

CornerBox BoxCoder::decode(const CornerBox& from, std::span<const float, 4> deltas) const {
  const float longest = std::log(1000.0F / 16);
  const float x = from.x1 + 0.5F * from.width() + deltas[0] / weights[0] * from.width();
  const float y = from.y1 + 0.5F * from.height() + deltas[1] / weights[1] * from.height();
  const float half_width = 0.5F * std::exp(std::min(deltas[2] / weights[2], longest)) * from.width();
  const float half_height = 0.5F * std::exp(std::min(deltas[3] / weights[3], longest)) * from.height();
  return {x - half_width, y - half_height, x + half_width, y + half_height};
}

std::vector<int64_t> match_boxes(std::span<const CornerBox> objects, std::span<const CornerBox> boxes,
                                 const BoxSampling& thresholds, bool keep_best) {
  std::vector<int64_t> matches(boxes.size(), kBackground);
  if (objects.empty()) return matches;
  std::vector<float> ious(boxes.size() * objects.size()), best_of_object(objects.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    float* row = &ious[i * objects.size()];
    for (size_t g = 0; g < objects.size(); ++g) {
      row[g] = ops::box_iou(objects[g], boxes[i]);
      best_of_object[g] = std::max(best_of_object[g], row[g]);
    }
  }
  for (size_t i = 0; i < boxes.size(); ++i) {
    const std::span<const float> row(&ious[i * objects.size()], objects.size());
    const auto best = std::ranges::max_element(row);
    bool kept = false;
    for (size_t g = 0; keep_best && g < row.size(); ++g) kept = kept || (row[g] > 0 && row[g] == best_of_object[g]);
    if (kept || static_cast<double>(*best) >= thresholds.foreground_iou) {
      matches[i] = best - row.begin();
    } else if (static_cast<double>(*best) >= thresholds.background_iou) {
      matches[i] = kBetween;
    }
  }
  return matches;
}

namespace {

/// `count` of the places, in the order of their drawing; all of them, as they are, where there are no more.
std::vector<int64_t> drawn(std::vector<int64_t> places, int64_t count, RandomGenerator& random) {
  if (std::ssize(places) <= count) return places;
  for (int64_t i = 0; i < count; ++i) {
    const auto rest = static_cast<uint64_t>(std::ssize(places) - i);
    std::swap(places[static_cast<size_t>(i)], places[static_cast<size_t>(i) + random.below(rest)]);
  }
  places.resize(static_cast<size_t>(count));
  return places;
}

}  // namespace

SampledBoxes sample_boxes(std::span<const int64_t> matches, const BoxSampling& sampling, RandomGenerator& random) {
  std::vector<int64_t> positive, negative;
  for (size_t i = 0; i < matches.size(); ++i) {
    if (matches[i] >= 0) positive.push_back(static_cast<int64_t>(i));
    if (matches[i] == kBackground) negative.push_back(static_cast<int64_t>(i));
  }
  SampledBoxes out;
  const auto most = static_cast<int64_t>(static_cast<double>(sampling.count) * sampling.positive_share);
  out.positive = drawn(std::move(positive), most, random);
  out.negative = drawn(std::move(negative), sampling.count - std::ssize(out.positive), random);
  return out;
}

std::vector<int64_t> best_scores(std::span<const float> scores, int64_t count) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i])) places.push_back(static_cast<int64_t>(i));
  }
  const auto better = [&](int64_t a, int64_t b) {
    const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    return x > y || (x == y && a < b);
  };
  const auto end = places.begin() + std::min<std::ptrdiff_t>(count, std::ssize(places));
  std::partial_sort(places.begin(), end, places.end(), better);
  places.erase(end, places.end());
  return places;
}

}  // namespace suanli::models
