#include "image/warp.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace suanli {
namespace {

constexpr double kRadian = std::numbers::pi / 180;

/// Calls f(y, x, source) for each pixel of the result, with the source of its centre.
template <class F>
void for_each_source(const Projection& map, int64_t height, int64_t width, const F& f) {
  const Projection inverse = map.inverse();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      f(y, x, inverse({static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5}));
    }
  }
}

}  // namespace

Projection Projection::rotation(double degrees, double scale) {
  const double c = scale * std::cos(degrees * kRadian), s = scale * std::sin(degrees * kRadian);
  return {{c, s, 0, -s, c, 0, 0, 0, 1}};
}

Projection Projection::shear(double x_degrees, double y_degrees) {
  return {{1, std::tan(x_degrees * kRadian), 0, std::tan(y_degrees * kRadian), 1, 0, 0, 0, 1}};
}

Point Projection::operator()(Point p) const {
  const double w = m[6] * p.x + m[7] * p.y + m[8];
  return {(m[0] * p.x + m[1] * p.y + m[2]) / w, (m[3] * p.x + m[4] * p.y + m[5]) / w};
}

Projection Projection::operator*(const Projection& first) const {
  Projection product;
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      product.m[3 * i + j] = m[3 * i] * first.m[j] + m[3 * i + 1] * first.m[3 + j] + m[3 * i + 2] * first.m[6 + j];
    }
  }
  return product;
}

Projection Projection::inverse() const {
  const auto minor = [&](size_t a, size_t b, size_t c, size_t d) { return m[a] * m[d] - m[b] * m[c]; };
  const double determinant = m[0] * minor(4, 5, 7, 8) - m[1] * minor(3, 5, 6, 8) + m[2] * minor(3, 4, 6, 7);
  if (!(std::abs(determinant) > 1e-12)) {
    throw UserError("warp",
                    "expected a map that keeps the plane, got one that flattens it; lower scale, shear or "
                    "perspective");
  }
  Projection result{{minor(4, 5, 7, 8), -minor(1, 2, 7, 8), minor(1, 2, 4, 5), -minor(3, 5, 6, 8), minor(0, 2, 6, 8),
                     -minor(0, 2, 3, 5), minor(3, 4, 6, 7), -minor(0, 1, 6, 7), minor(0, 1, 3, 4)}};
  for (double& value : result.m) value /= determinant;
  return result;
}

Image warp(const Image& image, const Projection& map, int64_t height, int64_t width, uint8_t fill) {
  Image result(height, width, image.channels, fill);
  const double right = static_cast<double>(image.width), bottom = static_cast<double>(image.height);
  for_each_source(map, height, width, [&](int64_t row, int64_t column, Point p) {
    const double x = p.x - 0.5, y = p.y - 0.5;  // in centres of pixels
    if (!(x > -1 && y > -1 && x < right && y < bottom)) return;
    const auto left = static_cast<int64_t>(std::floor(x)), top = static_cast<int64_t>(std::floor(y));
    const auto u = static_cast<float>(x - static_cast<double>(left)),
               v = static_cast<float>(y - static_cast<double>(top));
    const bool inside = left >= 0 && top >= 0 && left + 1 < image.width && top + 1 < image.height;
    const auto pixel = [&](int64_t dy, int64_t dx, int64_t c) -> float {
      const int64_t py = top + dy, px = left + dx;
      if (!inside && (py < 0 || px < 0 || py >= image.height || px >= image.width)) return fill;
      return image.at(py, px)[c];
    };
    uint8_t* to = result.at(row, column);
    for (int64_t c = 0; c < image.channels; ++c) {
      const float above = pixel(0, 0, c) + u * (pixel(0, 1, c) - pixel(0, 0, c));
      const float below = pixel(1, 0, c) + u * (pixel(1, 1, c) - pixel(1, 0, c));
      to[c] = static_cast<uint8_t>(above + v * (below - above) + 0.5f);
    }
  });
  return result;
}

Mask warp(const Mask& mask, const Projection& map, int64_t height, int64_t width, uint16_t fill) {
  Mask result(height, width, 1, fill);
  const double right = static_cast<double>(mask.width), bottom = static_cast<double>(mask.height);
  for_each_source(map, height, width, [&](int64_t row, int64_t column, Point p) {
    if (!(p.x >= 0 && p.y >= 0 && p.x < right && p.y < bottom)) return;
    *result.at(row, column) = *mask.at(static_cast<int64_t>(p.y), static_cast<int64_t>(p.x));
  });
  return result;
}

}  // namespace suanli
