#include "train/super_resolution.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "data/loader.h"
#include "image/geometry.h"
#include "image/png.h"
#include "image/quality.h"
#include "image/resize.h"
#include "infer/enlarge.h"
#include "ops/loss.h"
#include "train/scored_pictures.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

/// Small pixels around a crop that decide its own: bicubic weights reach two of them to each side.
constexpr int64_t kCropMargin = 4;

Image shrunk(const Image& image, int64_t factor) {
  return resize(image, image.height / factor, image.width / factor, Resample::bicubic);
}

class EnlargementScorer final : public Scorer {
 public:
  EnlargementScorer(const SuperResolution& task, bool keep_pictures) : task_(task), keep_(keep_pictures) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    for (size_t i = 0; i < batch.rows.size(); ++i) add(batch.categories[2 * i], batch.categories[2 * i + 1], mode);
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = scores_.scores();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

 private:
  void add(int64_t set, int64_t index, const nn::Mode& mode) {
    const int64_t factor = task_.config().upscale;
    Image memory;
    const Image& whole = task_.picture(set, index, memory);
    const Image truth = window(whole, 0, 0, whole.height / factor * factor, whole.width / factor * factor);
    if (std::min(truth.height, truth.width) < kSsimWindow + 2 * factor) {
      throw UserError(task_.place_of(set, index), concat("expected a picture of at least ", kSsimWindow + 3 * factor,
                                                         " pixels a side, got ", whole.width, " x ", whole.height));
    }
    const Image small = shrunk(truth, factor), enlarged = task_.enlarge(small, mode);
    double errors = 0;
    for (size_t i = 0; i < truth.values.size(); ++i) {
      const double miss = std::abs(static_cast<double>(truth.values[i]) - enlarged.values[i]) / 255;
      errors += task_.config().enlarged_input ? miss * miss : miss;
    }
    const auto count = static_cast<double>(truth.values.size());
    loss_.add(errors / count, count);
    const Image bicubic = task_.enlarge_bicubic(small);
    scores_.add(truth, enlarged, bicubic, factor);
    if (keep_ && pictures_.size() < kMostScoredPictures) show(bicubic, enlarged, truth);
  }

  /// The middle of the three, side by side.
  void show(const Image& bicubic, const Image& enlarged, const Image& truth) {
    constexpr int64_t kSide = 128;
    const int64_t height = std::min(kSide, truth.height), width = std::min(kSide, truth.width);
    std::vector<Image> parts;
    for (const Image* each : {&bicubic, &enlarged, &truth}) {
      parts.push_back(window(*each, (truth.height - height) / 2, (truth.width - width) / 2, height, width));
    }
    pictures_.push_back({"bicubic, enlarged by the model, truth", image_grid(parts, std::ssize(parts))});
  }

  const SuperResolution& task_;
  bool keep_;
  MeanLoss loss_;
  EnlargementScores scores_;
};

}  // namespace

void EnlargementScores::add(const Image& truth, const Image& enlarged, const Image& bicubic, int64_t border) {
  const Raster<double> wanted = luma_plane(truth, border);
  const Raster<double> got = luma_plane(enlarged, border), plain = luma_plane(bicubic, border);
  psnr_.add(psnr(wanted, got), 1);
  ssim_.add(ssim(wanted, got), 1);
  bicubic_psnr_.add(psnr(wanted, plain), 1);
  bicubic_ssim_.add(ssim(wanted, plain), 1);
}

Scores EnlargementScores::scores() const {
  return {{"psnr", psnr_.mean()},
          {"ssim", ssim_.mean()},
          {"bicubic_psnr", bicubic_psnr_.mean()},
          {"bicubic_ssim", bicubic_ssim_.mean()}};
}

SuperResolution::SuperResolution(const models::Model& model, SuperResolutionOptions options)
    : model_(model),
      config_(models::super_resolution_config(model.config().json, "config.json")),
      options_(std::move(options)) {}

std::vector<EncodedExample> SuperResolution::add(std::vector<ImageExample> pictures, bool crops) {
  constexpr int64_t kHeldPixels = int64_t{1} << 28;
  const auto set = static_cast<int32_t>(sets_.size());
  const int64_t side = options_.crop_size * config_.upscale;
  std::vector<EncodedExample> rows;
  int64_t pixels = 0;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const ImageSize size = read_image_size(pictures[i].file, decode_options());
    pixels += size.height * size.width;
    const int64_t count = crops ? std::max<int64_t>(1, size.height * size.width / (side * side)) : 1;
    for (int64_t c = 0; c < count; ++c) {
      EncodedExample& row = rows.emplace_back();
      row.categories = {set, static_cast<int32_t>(i)};
      row.row = static_cast<int64_t>(rows.size()) - 1;
    }
  }
  Set& added = sets_.emplace_back(Set{std::move(pictures), {}});
  if (pixels > kHeldPixels) return rows;
  added.held.resize(added.examples.size());
  encode_rows(static_cast<int64_t>(added.held.size()), [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    added.held[at] = load_image(added.examples[at], decode_options());
    return EncodedExample();
  });
  return rows;
}

EncodedExample SuperResolution::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures, got texts");
}

const Image& SuperResolution::picture(int64_t set, int64_t index, Image& memory) const {
  const Set& from = sets_[static_cast<size_t>(set)];
  const auto at = static_cast<size_t>(index);
  if (!from.held.empty()) return from.held[at];
  return memory = load_image(from.examples[at], decode_options());
}

std::string SuperResolution::place_of(int64_t set, int64_t index) const {
  return sets_[static_cast<size_t>(set)].examples[static_cast<size_t>(index)].file.string();
}

EncodedExample SuperResolution::draw(const EncodedExample& row, int64_t epoch) const {
  const int64_t factor = config_.upscale, small_side = options_.crop_size + 2 * kCropMargin, side = small_side * factor;
  const int32_t set = row.categories[0], index = row.categories[1];
  Image memory;
  const Image& whole = picture(set, index, memory);
  const int64_t room = std::min(whole.height, whole.width);
  if (room < side) {
    throw UserError(place_of(set, index),
                    concat("expected a picture of at least ", side, " pixels a side for crops of ", options_.crop_size,
                           " (image_size), got ", whole.width, " x ", whole.height));
  }
  RandomGenerator random = augment_random(options_.seed, epoch, row.row);
  const AugmentOptions& augment = options_.augment;
  const double share = 1 - augment.scale * static_cast<double>(random.next_uniform());
  const int64_t taken = std::llround(std::min(static_cast<double>(side) / share, static_cast<double>(room)));
  const auto below = [&](int64_t most) { return static_cast<int64_t>(random.below(static_cast<uint64_t>(most) + 1)); };
  const int64_t top = below(whole.height - taken), left = below(whole.width - taken);
  Image large = window(whole, top, left, taken, taken);
  if (static_cast<double>(random.next_uniform()) < augment.flipud) large = flip_up_down(large);
  if (static_cast<double>(random.next_uniform()) < augment.fliplr) large = flip_left_right(large);
  large = resize(large, side, side, Resample::bicubic);
  Image given = shrunk(large, factor);
  const int64_t scale = config_.enlarged_input ? factor : 1;
  if (config_.enlarged_input) given = enlarge_bicubic(given);
  EncodedExample out;
  out.row = row.row;
  out.features = infer::unit_values(
      window(given, kCropMargin * scale, kCropMargin * scale, options_.crop_size * scale, options_.crop_size * scale));
  out.targets = infer::unit_values(window(large, kCropMargin * factor, kCropMargin * factor,
                                          options_.crop_size * factor, options_.crop_size * factor));
  return out;
}

int64_t SuperResolution::items(const Batch& batch) const { return static_cast<int64_t>(batch.targets.size()); }

LossInputs SuperResolution::inputs(const Batch& batch) const {
  const int64_t side = options_.crop_size * config_.upscale;
  const int64_t given = config_.enlarged_input ? side : options_.crop_size;
  return {.features = numbers(batch.features).reshape({batch.size(), given, given, config_.channels}),
          .targets = numbers(batch.targets).reshape({batch.size(), side, side, config_.channels})};
}

Tensor SuperResolution::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  const Device device = model_.parameters->all().front().value.device();
  const Tensor y = model_.network->enlarged_pixels(inputs.features.on(device), mode);
  const Tensor wanted = inputs.targets.on(device);
  return config_.enlarged_input ? ops::mse_loss(y, wanted, normalizer) : ops::l1_loss(y, wanted, normalizer);
}

Image SuperResolution::enlarge_bicubic(const Image& image) const { return infer::enlarged_bicubic(image, config_); }

Image SuperResolution::enlarge(const Image& image, const nn::Mode& mode, int64_t tile) const {
  const Device device = model_.parameters->all().front().value.device();
  return infer::enlarged(image, *model_.network, config_, device, mode, tile);
}

std::unique_ptr<Scorer> SuperResolution::scorer(bool keep_predictions) const {
  return std::make_unique<EnlargementScorer>(*this, keep_predictions);
}

}  // namespace suanli
