/// Key points of things: where the corners of a shape or the joints of a person are.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "data/model_input.h"
#include "infer/heat_map_peaks.h"
#include "models/keypoints/heat_map_network.h"
#include "train/task.h"

namespace suanli {

using infer::HeatMapPeak;
using infer::peaks_of;

/// What a heat map of a key point looks like: exp(-d^2 / (2 sigma^2)), d the distance of a place's middle to the point
/// and sigma two places. Adds to out[(y width + x) pitch] of places (y, x).
void draw_peak(const Point& at, int64_t height, int64_t width, int64_t pitch, float* out);

struct KeyPointOptions {
  AugmentOptions augment = {};  ///< of training; one picture each: mosaic is not drawn
  uint64_t seed = 42;
};

/// The task over a network of heat maps, which must outlive it. A row is an object: the square around its box, grown to
/// 5/4 of the longer side, resized to the network's input. The loss is the mean square of what the maps of labelled key
/// points (hidden ones too) miss; others count for nothing. Scores: mean_error, the mean distance in pixels of the
/// picture, and pck, the share of key points within a tenth of the longer side of the box (Yang and Ramanan 2013).
class KeyPoints final : public Task {
 public:
  /// Throws UserError for another kind of model, or a processor whose size is not the model's.
  KeyPoints(const models::Model& model, ImageProcessor processor, KeyPointOptions options);

  /// The rows of a further set: its objects with a labelled key point. Throws UserError for another number of key
  /// points than the model's, and where there is none at all.
  std::vector<EncodedExample> add(std::vector<ImageExample> pictures);

  /// Rows come from add(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override;
  EncodedExample scored(const EncodedExample& row) const override;
  int64_t items(const Batch& batch) const override;
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// [B, size/4, size/4, K] f32 on the host.
  std::vector<float> maps(const LossInputs& inputs, const nn::Mode& mode) const;
  /// What the network sees of row b of a batch, as RGB.
  Image shown(const Batch& batch, size_t b) const;
  const models::HeatMapConfig& config() const { return config_; }
  DecodeOptions decode_options() const { return suanli::decode_options(input_.processor); }

 private:
  EncodedExample read(const EncodedExample& row, const std::optional<Draw>& draw) const;

  const models::Model& model_;
  models::HeatMapConfig config_;
  ImageInputOptions input_;
  uint64_t seed_;
  std::vector<std::vector<ImageExample>> sets_;
};

}  // namespace suanli
