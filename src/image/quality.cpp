#include "image/quality.h"

#include <array>
#include <cmath>

#include "base/error.h"

namespace suanli {
namespace {

using Plane = Raster<double>;
constexpr size_t kTaps = kSsimWindow;

std::array<double, kTaps> gaussian_weights() {
  constexpr double kSigma = 1.5, kMiddle = static_cast<double>(kTaps - 1) / 2;
  std::array<double, kTaps> weights = {};
  double sum = 0;
  for (size_t i = 0; i < kTaps; ++i) {
    const double x = (static_cast<double>(i) - kMiddle) / kSigma;
    sum += weights[i] = std::exp(-x * x / 2);
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// The weighted mean of each whole window of a(y, x) b(y, x): along x, then along y.
Plane window_means(const Plane& a, const Plane& b) {
  static const std::array<double, kTaps> weights = gaussian_weights();
  Plane rows(a.height, a.width - kSsimWindow + 1, 1);
  for (int64_t y = 0; y < rows.height; ++y) {
    for (int64_t x = 0; x < rows.width; ++x) {
      double sum = 0;
      for (size_t i = 0; i < kTaps; ++i) sum += weights[i] * a.at(y, x)[i] * b.at(y, x)[i];
      *rows.at(y, x) = sum;
    }
  }
  Plane means(a.height - kSsimWindow + 1, rows.width, 1);
  for (int64_t y = 0; y < means.height; ++y) {
    for (int64_t x = 0; x < means.width; ++x) {
      double sum = 0;
      for (size_t i = 0; i < kTaps; ++i) sum += weights[i] * *rows.at(y + static_cast<int64_t>(i), x);
      *means.at(y, x) = sum;
    }
  }
  return means;
}

void check_shapes(const Plane& a, const Plane& b) {
  SUANLI_ASSERT(a.height == b.height && a.width == b.width && a.channels == 1 && b.channels == 1 && !a.empty());
}

}  // namespace

Plane luma_plane(const Image& image, int64_t border) {
  SUANLI_ASSERT(image.channels == 1 || image.channels == 3);
  SUANLI_ASSERT(border >= 0 && image.height > 2 * border && image.width > 2 * border);
  Plane plane(image.height - 2 * border, image.width - 2 * border, 1);
  for (int64_t y = 0; y < plane.height; ++y) {
    for (int64_t x = 0; x < plane.width; ++x) {
      const uint8_t* p = image.at(y + border, x + border);
      *plane.at(y, x) = image.channels == 1 ? p[0] : 16 + (65.481 * p[0] + 128.553 * p[1] + 24.966 * p[2]) / 255;
    }
  }
  return plane;
}

double psnr(const Plane& a, const Plane& b) {
  check_shapes(a, b);
  double squares = 0;
  for (size_t i = 0; i < a.values.size(); ++i) squares += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.values.size()) / squares);
}

double ssim(const Plane& a, const Plane& b) {
  check_shapes(a, b);
  SUANLI_ASSERT(a.height >= kSsimWindow && a.width >= kSsimWindow);
  constexpr double kC1 = 2.55 * 2.55, kC2 = 7.65 * 7.65;
  const Plane ones(a.height, a.width, 1, 1);
  const Plane mean_a = window_means(a, ones), mean_b = window_means(b, ones);
  const Plane aa = window_means(a, a), bb = window_means(b, b), ab = window_means(a, b);
  double sum = 0;
  for (size_t i = 0; i < mean_a.values.size(); ++i) {
    const double ma = mean_a.values[i], mb = mean_b.values[i];
    const double variances = aa.values[i] - ma * ma + bb.values[i] - mb * mb, covariance = ab.values[i] - ma * mb;
    sum += (2 * ma * mb + kC1) * (2 * covariance + kC2) / ((ma * ma + mb * mb + kC1) * (variances + kC2));
  }
  return sum / static_cast<double>(mean_a.values.size());
}

}  // namespace suanli
