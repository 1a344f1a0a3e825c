#include "train/key_points.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "image/augment.h"
#include "ops/arithmetic.h"
#include "ops/loss.h"
#include "train/scored_pictures.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

using infer::kMapStride;
constexpr double kPeakWidth = 2;      // sigma in places
constexpr double kCloseEnough = 0.1;  // of the longer side of the box
constexpr size_t kOfObject = 2;       // numbers of an object in targets: its scale and its longer side
constexpr size_t kOfKeyPoint = 3;     // x, y, visibility

bool is_labelled(const ImageObject& object) {
  return !object.ignored &&
         std::ranges::any_of(object.key_points, [](const KeyPoint& each) { return each.visibility > 0; });
}

class KeyPointScorer final : public Scorer {
 public:
  KeyPointScorer(const KeyPoints& task, bool keep_pictures) : task_(task), keep_(keep_pictures) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = task_.inputs(batch);
    const auto items = static_cast<double>(task_.items(batch));
    loss_.add(static_cast<double>(number_of(task_.loss(inputs, mode, items))), items);
    const int64_t size = task_.config().image_size / kMapStride, count = task_.config().key_points;
    const std::vector<float> maps = task_.maps(inputs, mode);
    const auto width = static_cast<size_t>(size * size * count);
    for (size_t b = 0; b < batch.rows.size(); ++b) {
      const auto peaks = peaks_of(std::span(maps).subspan(b * width, width), size, size, count);
      const auto truth = std::span(batch.targets).subspan(b * static_cast<size_t>(batch.target_width));
      add(truth, peaks);
      if (keep_ && pictures_.size() < kMostScoredPictures) draw(task_.shown(batch, b), truth, peaks);
    }
  }

  Scores scores() const override {
    return {{"loss", loss_.mean()}, {"mean_error", error_.mean()}, {"pck", close_.mean()}};
  }

 private:
  void add(std::span<const float> truth, const std::vector<HeatMapPeak>& peaks) {
    const double scale = static_cast<double>(truth[0]), side = static_cast<double>(truth[1]);
    for (size_t k = 0; k < peaks.size(); ++k) {
      const float* point = truth.data() + kOfObject + k * kOfKeyPoint;
      if (!(point[2] > 0)) continue;
      const double miss = scale * std::hypot(peaks[k].at.x - static_cast<double>(point[0]),
                                             peaks[k].at.y - static_cast<double>(point[1]));
      error_.add(miss, 1);
      close_.add(miss <= kCloseEnough * side ? 1 : 0, 1);
    }
  }

  void draw(Image image, std::span<const float> truth, const std::vector<HeatMapPeak>& peaks) {
    for (size_t k = 0; k < peaks.size(); ++k) {
      const float* point = truth.data() + kOfObject + k * kOfKeyPoint;
      if (point[2] > 0) draw_point(&image, {point[0], point[1]}, {255, 255, 255});
      draw_point(&image, peaks[k].at, class_color(static_cast<int64_t>(k)), 1);
    }
    pictures_.push_back({"key points in white, found in colours", std::move(image)});
  }

  const KeyPoints& task_;
  bool keep_;
  MeanLoss loss_, error_, close_;
};

}  // namespace

void draw_peak(const Point& at, int64_t height, int64_t width, int64_t pitch, float* out) {
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const double dx = static_cast<double>(x) + 0.5 - at.x / kMapStride,
                   dy = static_cast<double>(y) + 0.5 - at.y / kMapStride;
      out[(y * width + x) * pitch] +=
          static_cast<float>(std::exp(-(dx * dx + dy * dy) / (2 * kPeakWidth * kPeakWidth)));
    }
  }
}

KeyPoints::KeyPoints(const models::Model& model, ImageProcessor processor, KeyPointOptions options)
    : model_(model),
      config_(models::heat_map_config(model.config().json, "config.json")),
      input_{std::move(processor), std::move(options.augment)},
      seed_(options.seed) {
  input_.augment.mosaic = 0;  // a row is one object
  infer::check_processor(input_.processor, config_);
}

std::vector<EncodedExample> KeyPoints::add(std::vector<ImageExample> pictures) {
  std::vector<EncodedExample> rows;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::vector<ImageObject>& objects = pictures[i].objects;
    for (size_t o = 0; o < objects.size(); ++o) {
      if (!is_labelled(objects[o])) continue;
      if (static_cast<int64_t>(objects[o].key_points.size()) != config_.key_points) {
        throw UserError(pictures[i].file.string(), concat("expected ", config_.key_points, " key points, got ",
                                                          objects[o].key_points.size(), "; see num_keypoints"));
      }
      EncodedExample& row = rows.emplace_back();
      row.categories = {static_cast<int32_t>(sets_.size()), static_cast<int32_t>(i), static_cast<int32_t>(o)};
      row.row = static_cast<int64_t>(rows.size()) - 1;
    }
  }
  if (rows.empty()) throw UserError("data", "expected objects with key points, got none");
  sets_.push_back(std::move(pictures));
  return rows;
}

EncodedExample KeyPoints::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures with key points, got texts");
}

EncodedExample KeyPoints::read(const EncodedExample& row, const std::optional<Draw>& draw) const {
  const ImageExample& example = sets_[static_cast<size_t>(row.categories[0])][static_cast<size_t>(row.categories[1])];
  const ImageObject& object = example.objects[static_cast<size_t>(row.categories[2])];
  const int64_t size = config_.image_size;
  AnnotatedImage alone = infer::cut_out({load_image(example, decode_options()), {}, {}}, object);
  if (draw) {
    RandomGenerator random = augment_random(draw->seed, draw->epoch, row.row);
    const auto itself = [&alone](int64_t) { return alone; };
    alone = augment_annotated(0, 1, itself, size, input_.augment, random);
  } else {
    resize(&alone, size, size);
  }
  EncodedExample out;
  out.row = row.row;
  std::vector<float> values(alone.image.values.size());
  input_.processor.pixel_values(alone.image, values);
  out.features = channels_last(values, alone.image.channels);
  const double side = std::max(object.box.width(), object.box.height());
  out.targets = {static_cast<float>(infer::square_around(object.box).side) / static_cast<float>(size),
                 static_cast<float>(side)};
  out.targets.resize(kOfObject + kOfKeyPoint * static_cast<size_t>(config_.key_points));  // not labelled where cut away
  if (alone.objects.empty()) return out;
  float* next = out.targets.data() + kOfObject;
  for (const KeyPoint& each : alone.objects.front().key_points) {
    *next++ = static_cast<float>(each.at.x);
    *next++ = static_cast<float>(each.at.y);
    *next++ = each.visibility > 0 ? 1.0F : 0.0F;
  }
  return out;
}

EncodedExample KeyPoints::draw(const EncodedExample& row, int64_t epoch) const {
  return read(row, Draw{.seed = seed_, .epoch = epoch});
}

EncodedExample KeyPoints::scored(const EncodedExample& row) const { return read(row, {}); }

int64_t KeyPoints::items(const Batch& batch) const {
  int64_t count = 0;
  for (size_t b = 0; b < batch.rows.size(); ++b) {
    const size_t first = b * static_cast<size_t>(batch.target_width) + kOfObject;
    for (size_t k = 0; k < static_cast<size_t>(config_.key_points); ++k) {
      count += batch.targets[first + k * kOfKeyPoint + 2] > 0 ? 1 : 0;
    }
  }
  return count;
}

LossInputs KeyPoints::inputs(const Batch& batch) const {
  const int64_t size = config_.image_size / kMapStride, count = config_.key_points;
  const auto width = static_cast<size_t>(size * size * count), rows = batch.rows.size();
  std::vector<float> targets(2 * rows * width);  // the maps, then a mask of those that count
  for (size_t b = 0; b < rows; ++b) {
    for (int64_t k = 0; k < count; ++k) {
      const float* point = batch.targets.data() + b * static_cast<size_t>(batch.target_width) + kOfObject +
                           static_cast<size_t>(k) * kOfKeyPoint;
      if (!(point[2] > 0)) continue;
      draw_peak({static_cast<double>(point[0]), static_cast<double>(point[1])}, size, size, count,
                targets.data() + b * width + k);
      float* mask = targets.data() + (rows + b) * width + k;
      for (int64_t i = 0; i < size * size; ++i) mask[i * count] = 1;
    }
  }
  const int64_t side = config_.image_size, images = batch.size();
  return {.features = numbers(batch.features).reshape({images, side, side, config_.channels}),
          .targets = numbers(targets).reshape({2 * images, size, size, count})};
}

Tensor KeyPoints::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  const Device device = model_.parameters->all().front().value.device();
  const Tensor y = model_.network->heat_maps(inputs.features.on(device), mode), targets = inputs.targets.on(device);
  const int64_t images = y.dim(0);
  const auto places = static_cast<double>(y.dim(1) * y.dim(2));
  return ops::mse_loss(ops::multiply(y, targets.rows(images, 2 * images)), targets.rows(0, images),
                       normalizer * places);
}

std::vector<float> KeyPoints::maps(const LossInputs& inputs, const nn::Mode& mode) const {
  const NoGradient guard;
  const Device device = model_.parameters->all().front().value.device();
  return host_values(model_.network->heat_maps(inputs.features.on(device), mode));
}

Image KeyPoints::shown(const Batch& batch, size_t b) const {
  return picture_of(input_.processor, batch, b, config_.image_size);
}

std::unique_ptr<Scorer> KeyPoints::scorer(bool keep_predictions) const {
  return std::make_unique<KeyPointScorer>(*this, keep_predictions);
}

}  // namespace suanli
