/// Projective maps of the plane, and pictures, masks and points moved by them.
#pragma once

#include <array>
#include <cstdint>

#include "image/image.h"

namespace suanli {

/// A place in a picture: x to the right, y down, in pixels; (0, 0) is the outer corner of the first pixel, whose
/// centre is (0.5, 0.5).
struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

/// A 3 x 3 matrix, row by row, that takes (x, y, 1) to (x', y', 1) times a number.
struct Projection {
  std::array<double, 9> m = {1, 0, 0, 0, 1, 0, 0, 0, 1};

  static Projection translation(double x, double y) { return {{1, 0, x, 0, 1, y, 0, 0, 1}}; }
  static Projection scaling(double x, double y) { return {{x, 0, 0, 0, y, 0, 0, 0, 1}}; }
  /// Around the origin: x' = s (x cos a + y sin a), y' = s (-x sin a + y cos a); counter-clockwise on the screen
  /// (OpenCV's getRotationMatrix2D).
  static Projection rotation(double degrees, double scale);
  /// x' = x + y tan(a), y' = y + x tan(b), in degrees.
  static Projection shear(double x_degrees, double y_degrees);
  /// x' = x / (1 + u x + v y), y' likewise.
  static Projection perspective(double u, double v) { return {{1, 0, 0, 0, 1, 0, u, v, 1}}; }

  Point operator()(Point p) const;
  /// First `first`, then this.
  Projection operator*(const Projection& first) const;
  /// Throws UserError where the map flattens the plane.
  Projection inverse() const;
};

/// The `height` x `width` picture whose pixel at p shows `image` at inverse(p): bilinear between the four pixels around
/// it, `fill` where there is none.
Image warp(const Image& image, const Projection& map, int64_t height, int64_t width, uint8_t fill);

/// The same for a label map: the pixel there, else `fill`.
Mask warp(const Mask& mask, const Projection& map, int64_t height, int64_t width, uint16_t fill);

}  // namespace suanli
