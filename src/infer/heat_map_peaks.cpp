#include "infer/heat_map_peaks.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "data/model_input.h"
#include "image/augment.h"
#include "infer/prediction.h"

namespace suanli::infer {

BoxSquare square_around(const Box& box) {
  constexpr double kRoomAroundBox = 1.25;
  const double side = std::max(1.0, std::ceil(kRoomAroundBox * std::max(box.width(), box.height())));
  return {std::llround((box.top + box.bottom - side) / 2), std::llround((box.left + box.right - side) / 2),
          static_cast<int64_t>(side)};
}

AnnotatedImage cut_out(AnnotatedImage picture, const ImageObject& object) {
  constexpr uint8_t kGrey = 114;  // as around letterboxes
  const BoxSquare square = square_around(object.box);
  AnnotatedImage alone{std::move(picture.image), {object}, {}};
  window(&alone, square.top, square.left, square.side, square.side, kGrey);
  return alone;
}

std::vector<HeatMapPeak> peaks_of(std::span<const float> maps, int64_t height, int64_t width, int64_t key_points) {
  SUANLI_ASSERT(static_cast<int64_t>(maps.size()) == height * width * key_points);
  std::vector<HeatMapPeak> peaks;
  for (int64_t k = 0; k < key_points; ++k) {
    const auto value = [&](int64_t y, int64_t x) {
      return maps[static_cast<size_t>((y * width + x) * key_points + k)];
    };
    int64_t best_y = 0, best_x = 0;
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        if (value(y, x) > value(best_y, best_x)) best_y = y, best_x = x;
      }
    }
    const auto towards = [](float before, float after) { return after > before ? 0.25 : after < before ? -0.25 : 0.0; };
    double y = static_cast<double>(best_y) + 0.5, x = static_cast<double>(best_x) + 0.5;
    if (best_y > 0 && best_y < height - 1) y += towards(value(best_y - 1, best_x), value(best_y + 1, best_x));
    if (best_x > 0 && best_x < width - 1) x += towards(value(best_y, best_x - 1), value(best_y, best_x + 1));
    peaks.push_back({{x * kMapStride, y * kMapStride}, static_cast<double>(value(best_y, best_x))});
  }
  return peaks;
}

void check_processor(const ImageProcessor& processor, const models::HeatMapConfig& config) {
  const ImageProcessor& p = processor;
  if (p.height != config.image_size || p.width != config.image_size || p.do_center_crop ||
      p.channels() != config.channels) {
    throw UserError("preprocessor_config.json",
                    concat("expected squares of ", config.image_size, " pixels and ", config.channels,
                           " channels, as config.json says, got ", p.height, " x ", p.width, " and ", p.channels()));
  }
}

std::vector<HeatMapPeak> key_points_in(const Image& image, const models::Network& network,
                                       const models::HeatMapConfig& config, const ImageProcessor& processor,
                                       const Device& device, const nn::Mode& mode) {
  const NoGradient guard;
  const Box whole{0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  const BoxSquare square = square_around(whole);
  AnnotatedImage alone = cut_out({image, {}, {}}, {.box = whole});
  const int64_t size = config.image_size, places = size / kMapStride;
  resize(&alone, size, size);
  std::vector<float> values(alone.image.values.size());
  processor.pixel_values(alone.image, values);
  const Tensor pixels = constant_of(channels_last(values, config.channels), {1, size, size, config.channels});
  std::vector<HeatMapPeak> peaks =
      peaks_of(values_on_host(network.heat_maps(pixels.on(device), mode)), places, places, config.key_points);
  const double scale = static_cast<double>(square.side) / static_cast<double>(size);
  for (HeatMapPeak& peak : peaks) {
    peak.at = {peak.at.x * scale + static_cast<double>(square.left),
               peak.at.y * scale + static_cast<double>(square.top)};
  }
  return peaks;
}

}  // namespace suanli::infer
