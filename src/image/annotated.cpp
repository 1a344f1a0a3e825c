#include "image/annotated.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "image/geometry.h"
#include "image/resize.h"

namespace suanli {
namespace {

/// The box around `points`.
Box box_around(std::span<const Point> points) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  Box box{kFar, kFar, -kFar, -kFar};
  for (const Point& p : points) {
    box = {std::min(box.left, p.x), std::min(box.top, p.y), std::max(box.right, p.x), std::max(box.bottom, p.y)};
  }
  return box;
}

Box moved(const ImageObject& object, const Projection& map) {
  std::vector<Point> points;
  for (const auto& polygon : object.polygons) {
    for (const Point& p : polygon) points.push_back(map(p));
  }
  if (points.empty()) {
    const Box& b = object.box;
    points = {map({b.left, b.top}), map({b.right, b.top}), map({b.right, b.bottom}), map({b.left, b.bottom})};
  }
  return box_around(points);
}

bool kept(const Box& cut, const Box& whole, const KeepRule& rule) {
  const double width = cut.width(), height = cut.height();
  if (!(width > rule.side && height > rule.side)) return false;
  const double area = whole.width() * whole.height();
  return width * height > rule.area * area && std::max(width / height, height / width) < rule.ratio;
}

}  // namespace

void transform(std::vector<ImageObject>* objects, const Projection& map, int64_t height, int64_t width,
               const KeepRule& rule) {
  const double right = static_cast<double>(width), bottom = static_cast<double>(height);
  std::vector<ImageObject> result;
  for (ImageObject& object : *objects) {
    const Box whole = moved(object, map);
    const Box cut{std::clamp(whole.left, 0.0, right), std::clamp(whole.top, 0.0, bottom),
                  std::clamp(whole.right, 0.0, right), std::clamp(whole.bottom, 0.0, bottom)};
    if (!kept(cut, whole, rule)) continue;
    object.box = cut;
    for (KeyPoint& key : object.key_points) {
      if (key.visibility == 0) continue;
      key.at = map(key.at);
      if (!(key.at.x >= 0 && key.at.y >= 0 && key.at.x <= right && key.at.y <= bottom)) key = {};
    }
    for (auto& polygon : object.polygons) {
      for (Point& p : polygon) p = map(p);
    }
    result.push_back(std::move(object));
  }
  *objects = std::move(result);
}

void transform(AnnotatedImage* annotated, const Projection& map, int64_t height, int64_t width, uint8_t fill,
               const KeepRule& rule) {
  annotated->image = warp(annotated->image, map, height, width, fill);
  if (!annotated->mask.empty()) annotated->mask = warp(annotated->mask, map, height, width, 0);
  transform(&annotated->objects, map, height, width, rule);
}

namespace {
/// Nothing is cut by these moves, and small objects stay.
constexpr KeepRule kKeepAll{0, std::numeric_limits<double>::infinity(), 0};
}  // namespace

void flip_left_right(AnnotatedImage* annotated, std::span<const int32_t> flip_idx) {
  const int64_t height = annotated->image.height, width = annotated->image.width;
  annotated->image = flip_left_right(annotated->image);
  if (!annotated->mask.empty()) annotated->mask = flip_left_right(annotated->mask);
  const Projection map{{-1, 0, static_cast<double>(width), 0, 1, 0, 0, 0, 1}};
  transform(&annotated->objects, map, height, width, kKeepAll);
  if (flip_idx.empty()) return;
  for (ImageObject& object : annotated->objects) {
    if (object.key_points.empty()) continue;
    if (object.key_points.size() != flip_idx.size()) {
      throw UserError("flip_idx", "expected one number for each key point of an object");
    }
    std::vector<KeyPoint> swapped(flip_idx.size());
    for (size_t i = 0; i < flip_idx.size(); ++i) swapped[i] = object.key_points.at(static_cast<size_t>(flip_idx[i]));
    object.key_points = std::move(swapped);
  }
}

void flip_up_down(AnnotatedImage* annotated) {
  const int64_t height = annotated->image.height, width = annotated->image.width;
  annotated->image = flip_up_down(annotated->image);
  if (!annotated->mask.empty()) annotated->mask = flip_up_down(annotated->mask);
  const Projection map{{1, 0, 0, 0, -1, static_cast<double>(height), 0, 0, 1}};
  transform(&annotated->objects, map, height, width, kKeepAll);
}

void window(AnnotatedImage* annotated, int64_t top, int64_t left, int64_t height, int64_t width, uint8_t fill) {
  annotated->image = window(annotated->image, top, left, height, width, fill);
  if (!annotated->mask.empty()) annotated->mask = window(annotated->mask, top, left, height, width, uint16_t{0});
  const Projection map = Projection::translation(-static_cast<double>(left), -static_cast<double>(top));
  transform(&annotated->objects, map, height, width);
}

void resize(AnnotatedImage* annotated, int64_t height, int64_t width) {
  const Projection map =
      Projection::scaling(static_cast<double>(width) / static_cast<double>(annotated->image.width),
                          static_cast<double>(height) / static_cast<double>(annotated->image.height));
  annotated->image = resize(annotated->image, height, width, Resample::bilinear);
  if (!annotated->mask.empty()) annotated->mask = resize(annotated->mask, height, width);
  transform(&annotated->objects, map, height, width, kKeepAll);
}

void letterbox(AnnotatedImage* annotated, int64_t box_height, int64_t box_width, uint8_t fill) {
  const LetterboxPlace place = letterbox_place(annotated->image.height, annotated->image.width, box_height, box_width);
  resize(annotated, place.height, place.width);
  annotated->image = window(annotated->image, -place.top, -place.left, box_height, box_width, fill);
  if (!annotated->mask.empty()) {
    annotated->mask = window(annotated->mask, -place.top, -place.left, box_height, box_width, uint16_t{0});
  }
  const Projection map = Projection::translation(static_cast<double>(place.left), static_cast<double>(place.top));
  transform(&annotated->objects, map, box_height, box_width, kKeepAll);
}

void fill_polygons(std::span<const std::vector<Point>> polygons, uint16_t label, Mask* mask) {
  std::vector<double> crossings;
  for (int64_t row = 0; row < mask->height; ++row) {
    const double y = static_cast<double>(row) + 0.5;
    crossings.clear();
    for (const auto& polygon : polygons) {
      for (size_t i = 0; i < polygon.size(); ++i) {
        const Point& a = polygon[i];
        const Point& b = polygon[(i + 1) % polygon.size()];
        if ((a.y <= y) != (b.y <= y)) crossings.push_back(a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y));
      }
    }
    std::sort(crossings.begin(), crossings.end());
    const auto first_center = [&](double x) {  // the first pixel whose centre is at x or right of it
      return static_cast<int64_t>(std::ceil(std::clamp(x, 0.0, static_cast<double>(mask->width)) - 0.5));
    };
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const int64_t begin = first_center(crossings[i]), end = first_center(crossings[i + 1]);
      if (begin < end) std::fill(mask->at(row, begin), mask->at(row, begin) + (end - begin), label);
    }
  }
}

}  // namespace suanli
