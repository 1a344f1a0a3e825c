#include "image/resize.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/error.h"

namespace suanli {
namespace {

constexpr int kWeightBits = 22;  // of a fraction: 32 bits less 8 of the pixel and 2 for the overshoot of bicubic

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

struct Filter {
  double support;  ///< the filter is 0 beyond
  double (*weight)(double x);
};

Filter filter_of(Resample filter) {
  switch (filter) {
    case Resample::box:
      return {0.5, [](double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }};
    case Resample::bilinear:
      return {1, [](double x) { return std::max(0.0, 1 - std::abs(x)); }};
    case Resample::hamming:
      return {1, [](double x) {
                x = std::abs(x);
                if (x >= 1) return 0.0;
                return sinc(x) * (0.54 + 0.46 * std::cos(x * std::numbers::pi));
              }};
    case Resample::bicubic:  // Keys 1981 with a = -1/2
      return {2, [](double x) {
                constexpr double a = -0.5;
                x = std::abs(x);
                if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
                if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
                return 0.0;
              }};
    case Resample::lanczos:
      return {3, [](double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0.0; }};
    case Resample::nearest:
      break;
  }
  SUANLI_ASSERT(false);
}

/// For each output position the input positions [first, first + count) and their weights.
struct Weights {
  int64_t most = 0;  ///< weights that a position may have
  std::vector<int64_t> first, count;
  std::vector<int32_t> weight;  ///< [positions, most], in 1 / 2^kWeightBits
};

Weights weights_of(int64_t from, int64_t to, const Filter& filter) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), widening = std::max(scale, 1.0);
  const double support = filter.support * widening;
  Weights result;
  result.most = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  result.first.resize(static_cast<size_t>(to));
  result.count.resize(static_cast<size_t>(to));
  result.weight.resize(static_cast<size_t>(to * result.most));
  std::vector<double> exact(static_cast<size_t>(result.most));
  for (int64_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t begin = std::max<int64_t>(0, static_cast<int64_t>(center - support + 0.5));
    const int64_t end = std::min(from, static_cast<int64_t>(center + support + 0.5));
    double sum = 0;
    for (int64_t k = begin; k < end; ++k) {
      const double weight = filter.weight((static_cast<double>(k) - center + 0.5) * (1.0 / widening));
      exact[static_cast<size_t>(k - begin)] = weight;
      sum += weight;
    }
    for (int64_t k = 0; k < end - begin; ++k) {
      const double share = sum != 0 ? exact[static_cast<size_t>(k)] / sum : exact[static_cast<size_t>(k)];
      result.weight[static_cast<size_t>(i * result.most + k)] =
          static_cast<int32_t>(share * (1 << kWeightBits) + (share < 0 ? -0.5 : 0.5));
    }
    result.first[static_cast<size_t>(i)] = begin;
    result.count[static_cast<size_t>(i)] = end - begin;
  }
  return result;
}

uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }
constexpr int32_t kHalf = 1 << (kWeightBits - 1);

template <int C>
void resize_row(const uint8_t* from, uint8_t* to, int64_t width, const Weights& weights) {
  for (int64_t x = 0; x < width; ++x) {
    const int32_t* weight = weights.weight.data() + x * weights.most;
    const uint8_t* pixel = from + weights.first[static_cast<size_t>(x)] * C;
    int32_t sum[C];
    std::fill_n(sum, C, kHalf);
    for (int64_t k = 0; k < weights.count[static_cast<size_t>(x)]; ++k) {
      for (int c = 0; c < C; ++c) sum[c] += pixel[k * C + c] * weight[k];
    }
    for (int c = 0; c < C; ++c) to[x * C + c] = rounded(sum[c]);
  }
}

Image resize_width(const Image& image, int64_t width, const Filter& filter) {
  if (width == image.width) return image;
  const Weights weights = weights_of(image.width, width, filter);
  Image result(image.height, width, image.channels);
  const auto row = image.channels == 1   ? resize_row<1>
                   : image.channels == 2 ? resize_row<2>
                   : image.channels == 3 ? resize_row<3>
                                         : resize_row<4>;
  for (int64_t y = 0; y < image.height; ++y) row(image.at(y, 0), result.at(y, 0), width, weights);
  return result;
}

Image resize_height(Image image, int64_t height, const Filter& filter) {
  if (height == image.height) return image;
  const Weights weights = weights_of(image.height, height, filter);
  Image result(height, image.width, image.channels);
  const int64_t row = image.width * image.channels;
  std::vector<int32_t> sums(static_cast<size_t>(row));
  for (int64_t y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int64_t k = 0; k < weights.count[static_cast<size_t>(y)]; ++k) {
      const int32_t weight = weights.weight[static_cast<size_t>(y * weights.most + k)];
      const uint8_t* from = image.at(weights.first[static_cast<size_t>(y)] + k, 0);
      for (int64_t i = 0; i < row; ++i) sums[static_cast<size_t>(i)] += from[i] * weight;
    }
    uint8_t* to = result.at(y, 0);
    for (int64_t i = 0; i < row; ++i) to[i] = rounded(sums[static_cast<size_t>(i)]);
  }
  return result;
}

uint8_t product_255(uint32_t a, uint32_t b) {  // a b / 255, rounded
  const uint32_t t = a * b + 128;
  return static_cast<uint8_t>((t + (t >> 8)) >> 8);
}

void multiply_by_alpha(Image* image) {
  const int64_t colors = image->channels - 1;
  for (int64_t i = 0; i < image->height * image->width; ++i) {
    uint8_t* pixel = image->values.data() + i * image->channels;
    for (int64_t c = 0; c < colors; ++c) pixel[c] = product_255(pixel[c], pixel[colors]);
  }
}

void divide_by_alpha(Image* image) {
  const int64_t colors = image->channels - 1;
  for (int64_t i = 0; i < image->height * image->width; ++i) {
    uint8_t* pixel = image->values.data() + i * image->channels;
    const int32_t alpha = pixel[colors];
    if (alpha == 0 || alpha == 255) continue;
    for (int64_t c = 0; c < colors; ++c) pixel[c] = static_cast<uint8_t>(std::min(255, 255 * pixel[c] / alpha));
  }
}

/// The input position of each output position: that under its centre. Sums of steps, as PIL, for equal rounding.
std::vector<int64_t> nearest_positions(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<int64_t> positions(static_cast<size_t>(to));
  double at = scale * 0.5;
  for (int64_t& position : positions) {
    position = std::min(from - 1, static_cast<int64_t>(at));
    at += scale;
  }
  return positions;
}

template <class T>
Raster<T> resize_nearest(const Raster<T>& image, int64_t height, int64_t width) {
  const std::vector<int64_t> rows = nearest_positions(image.height, height);
  const std::vector<int64_t> columns = nearest_positions(image.width, width);
  Raster<T> result(height, width, image.channels);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      std::copy_n(image.at(rows[static_cast<size_t>(y)], columns[static_cast<size_t>(x)]), image.channels,
                  result.at(y, x));
    }
  }
  return result;
}

}  // namespace

Image resize(const Image& image, int64_t height, int64_t width, Resample filter) {
  SUANLI_ASSERT(height >= 1 && width >= 1 && !image.empty());
  if (height == image.height && width == image.width) return image;
  if (filter == Resample::nearest) return resize_nearest(image, height, width);
  const Filter weights = filter_of(filter);
  if (image.channels % 2 != 0) return resize_height(resize_width(image, width, weights), height, weights);
  Image weighted = image;
  multiply_by_alpha(&weighted);  // an invisible pixel must not tint its neighbours
  weighted = resize_height(resize_width(weighted, width, weights), height, weights);
  divide_by_alpha(&weighted);
  return weighted;
}

Mask resize(const Mask& mask, int64_t height, int64_t width) { return resize_nearest(mask, height, width); }

}  // namespace suanli
