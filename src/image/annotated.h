/// A picture with what is known of it, moved together: boxes, outlines, key points, a mask.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/image.h"
#include "image/warp.h"

namespace suanli {

/// The upright rectangle from (left, top) to (right, bottom), in pixels.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
  double width() const { return right - left; }
  double height() const { return bottom - top; }
  bool operator==(const Box&) const = default;
};

/// COCO's visibility: 0 not labelled, 1 hidden, 2 seen.
struct KeyPoint {
  Point at;
  int32_t visibility = 0;
  bool operator==(const KeyPoint&) const = default;
};

/// One thing in a picture.
struct ImageObject {
  Box box;
  int32_t label = 0;                      ///< its class
  bool ignored = false;                   ///< neither found nor missed by a score: COCO's iscrowd, VOC's difficult
  std::vector<KeyPoint> key_points = {};  ///< in the order of the data set's names
  std::vector<std::vector<Point>> polygons = {};  ///< outlines, or none
};

struct AnnotatedImage {
  Image image;
  std::vector<ImageObject> objects;
  Mask mask;  ///< [H, W, 1] like the image, or empty
};

/// What remains of an object when a map moves it: it keeps both sides longer than `side` pixels, sides of a ratio under
/// `ratio`, and more than `area` of the area that it had after the map, before the border cut it (box_candidates of
/// Ultralytics, which compares with the area before the map times scale^2).
struct KeepRule {
  double side = 2, ratio = 100, area = 0.1;
};

/// Moves the picture, its mask (0 outside) and all objects into a `height` x `width` picture: boxes become those around
/// their outlines, or around their four corners; cut at the border; key points outside get visibility 0.
void transform(AnnotatedImage* annotated, const Projection& map, int64_t height, int64_t width, uint8_t fill,
               const KeepRule& rule = {});

/// The objects alone, for moves of whole pixels and resizing.
void transform(std::vector<ImageObject>* objects, const Projection& map, int64_t height, int64_t width,
               const KeepRule& rule = {});

/// Flips; `flip_idx` says which key point each becomes when left and right change places (Ultralytics' data.yaml).
void flip_left_right(AnnotatedImage* annotated, std::span<const int32_t> flip_idx = {});
void flip_up_down(AnnotatedImage* annotated);

/// The window (geometry.h) of picture, mask (0 outside) and objects.
void window(AnnotatedImage* annotated, int64_t top, int64_t left, int64_t height, int64_t width, uint8_t fill);

/// Bilinear with antialias; the mask nearest.
void resize(AnnotatedImage* annotated, int64_t height, int64_t width);

/// The picture scaled to fit into the box, in its middle (geometry.h).
void letterbox(AnnotatedImage* annotated, int64_t box_height, int64_t box_width, uint8_t fill = 114);

/// The pixels whose centres lie inside the polygons (even-odd) get `label`.
void fill_polygons(std::span<const std::vector<Point>> polygons, uint16_t label, Mask* mask);

}  // namespace suanli
