#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "image/augment.h"
#include "image/augment_parts.h"
#include "image/geometry.h"

namespace suanli {
namespace {

constexpr uint8_t kGrey = 114;  // Ultralytics' fill

/// The longer side becomes `size`.
AnnotatedImage fetch_scaled(int64_t index, const FetchAnnotated& fetch, int64_t size) {
  AnnotatedImage annotated = fetch(index);
  const LetterboxPlace place = letterbox_place(annotated.image.height, annotated.image.width, size, size);
  resize(&annotated, place.height, place.width);
  return annotated;
}

template <class T>
void paste(const Raster<T>& image, int64_t top, int64_t left, Raster<T>* canvas) {
  const int64_t first_row = std::max<int64_t>(0, -top), rows_end = std::min(image.height, canvas->height - top);
  const int64_t first = std::max<int64_t>(0, -left), end = std::min(image.width, canvas->width - left);
  for (int64_t y = first_row; y < rows_end && first < end; ++y) {
    std::copy_n(image.at(y, first), (end - first) * image.channels, canvas->at(top + y, left + first));
  }
}

/// Four pictures that meet in a random point of the middle of a canvas of twice the size.
AnnotatedImage mosaic(int64_t index, int64_t count, const FetchAnnotated& fetch, int64_t size,
                      RandomGenerator& random) {
  const auto meeting_point = [&] {
    return size / 2 + static_cast<int64_t>(random.below(static_cast<uint64_t>(size) + 1));
  };
  const int64_t y = meeting_point(), x = meeting_point();
  std::array<int64_t, 4> indices = {index};
  for (size_t i = 1; i < 4; ++i) indices[i] = static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
  AnnotatedImage canvas;
  for (size_t i = 0; i < 4; ++i) {
    AnnotatedImage tile = fetch_scaled(indices[i], fetch, size);
    if (i == 0) {
      canvas.image = Image(2 * size, 2 * size, tile.image.channels, kGrey);
      if (!tile.mask.empty()) canvas.mask = Mask(2 * size, 2 * size, 1);
    }
    SUANLI_ASSERT(tile.image.channels == canvas.image.channels && tile.mask.empty() == canvas.mask.empty());
    const int64_t top = i < 2 ? y - tile.image.height : y, left = i % 2 == 0 ? x - tile.image.width : x;
    paste(tile.image, top, left, &canvas.image);
    if (!tile.mask.empty()) paste(tile.mask, top, left, &canvas.mask);
    const auto place = Projection::translation(static_cast<double>(left), static_cast<double>(top));
    transform(&tile.objects, place, 2 * size, 2 * size);
    std::move(tile.objects.begin(), tile.objects.end(), std::back_inserter(canvas.objects));
  }
  return canvas;
}

/// From the plane of a canvas to that of the `size` x `size` result.
Projection random_projection(int64_t height, int64_t width, int64_t size, const AugmentOptions& o,
                             RandomGenerator& random) {
  const auto both = [&](double gain) { return random_between(-gain, gain, random); };
  const Projection to_origin =
      Projection::translation(-static_cast<double>(width) / 2, -static_cast<double>(height) / 2);
  const double u = both(o.perspective), v = both(o.perspective), angle = both(o.degrees);
  const double scale = std::max(0.01, 1 + both(o.scale)), shear_x = both(o.shear), shear_y = both(o.shear);
  const double x = 0.5 + both(o.translate), y = 0.5 + both(o.translate);
  const Projection to_place = Projection::translation(x * static_cast<double>(size), y * static_cast<double>(size));
  return to_place * Projection::shear(shear_x, shear_y) * Projection::rotation(angle, scale) *
         Projection::perspective(u, v) * to_origin;
}

/// Mosaic or letterbox, then moved.
AnnotatedImage moved_picture(int64_t index, int64_t count, const FetchAnnotated& fetch, int64_t size,
                             const AugmentOptions& options, RandomGenerator& random) {
  AnnotatedImage annotated;
  if (random_event(options.mosaic, random)) {
    annotated = mosaic(index, count, fetch, size, random);
  } else {
    annotated = fetch(index);
    letterbox(&annotated, size, size, kGrey);
  }
  const Projection map = random_projection(annotated.image.height, annotated.image.width, size, options, random);
  transform(&annotated, map, size, size, kGrey);
  return annotated;
}

}  // namespace

AnnotatedImage augment_annotated(int64_t index, int64_t count, const FetchAnnotated& fetch, int64_t size,
                                 const AugmentOptions& options, RandomGenerator& random) {
  AnnotatedImage annotated = moved_picture(index, count, fetch, size, options, random);
  if (random_event(options.mixup, random)) {
    if (!annotated.mask.empty()) {
      throw UserError("mixup", "expected 0 for pictures with masks: the classes of two masks have no mean");
    }
    constexpr double kAlpha = 32;  // about half of each
    const auto other = static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
    AnnotatedImage second = moved_picture(other, count, fetch, size, options, random);
    mix_pixels(&annotated.image, second.image, random_beta(kAlpha, random));
    std::move(second.objects.begin(), second.objects.end(), std::back_inserter(annotated.objects));
  }
  if (random_event(options.flipud, random)) flip_up_down(&annotated);
  if (random_event(options.fliplr, random)) flip_left_right(&annotated, options.flip_idx);
  random_colors(&annotated.image, options, random);
  return annotated;
}

}  // namespace suanli
