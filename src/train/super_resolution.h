/// Super-resolution: pictures enlarged as they might have been before somebody made them small.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/image_dataset.h"
#include "image/augment.h"
#include "models/super_resolution/config.h"
#include "train/task.h"

namespace suanli {

struct SuperResolutionOptions {
  int64_t crop_size = 48;       ///< side of the small crops of training
  AugmentOptions augment = {};  ///< of training: scale, flipud and fliplr
  uint64_t seed = 42;           ///< of the crops
};

/// Peak signal-to-noise ratio and structural similarity of enlarged pictures and of the same by bicubic resizing: means
/// over pictures, of the luma without `upscale` pixels at the border (image/quality.h).
class EnlargementScores {
 public:
  /// Pictures of one size, of at least kSsimWindow pixels inside the border.
  void add(const Image& truth, const Image& enlarged, const Image& bicubic, int64_t border);
  /// psnr, ssim, bicubic_psnr, bicubic_ssim.
  Scores scores() const;

 private:
  MeanLoss psnr_, ssim_, bicubic_psnr_, bicubic_ssim_;
};

/// The task over a network with enlarged_pixels, which must outlive it. The small pictures are made of the large ones
/// by bicubic resizing with antialias. A row of training is a crop: a part of a picture, shrunk to 1 - scale to 1 of
/// its sides and flipped, and the same made small; its loss is the mean absolute error of the values in 0..1, of SRCNN
/// the mean square. Scores are those of whole pictures, cut at the right and below to multiples of upscale, in 8 bits.
class SuperResolution final : public Task {
 public:
  /// Throws UserError for a model that does not enlarge pictures.
  SuperResolution(const models::Model& model, SuperResolutionOptions options);

  /// The rows of a further set: one for each picture to be scored, or about as many for each as crops have room in it.
  /// Pictures of 2^28 pixels together are decoded once and held.
  std::vector<EncodedExample> add(std::vector<ImageExample> pictures, bool crops);

  /// Rows come from add(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  /// A crop. Throws UserError for a picture with less room than one takes.
  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override;
  EncodedExample scored(const EncodedExample& row) const override { return row; }
  int64_t items(const Batch& batch) const override;
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// The picture of a row, held or read into `memory`, and the file that it comes from.
  const Image& picture(int64_t set, int64_t index, Image& memory) const;
  std::string place_of(int64_t set, int64_t index) const;
  /// `image` [H, W, C] with upscale times as many pixels a side. Computed in tiles of `tile` pixels with all around
  /// them that decides them: other tiles give the same picture, but for the rounding of sums.
  Image enlarge(const Image& image, const nn::Mode& mode, int64_t tile = 256) const;
  Image enlarge_bicubic(const Image& image) const;
  const models::SuperResolutionConfig& config() const { return config_; }
  DecodeOptions decode_options() const { return {.channels = config_.channels == 1 ? Channels::grey : Channels::rgb}; }

 private:
  struct Set {
    std::vector<ImageExample> examples;
    std::vector<Image> held;  ///< empty: decoded when they are used
  };

  const models::Model& model_;
  models::SuperResolutionConfig config_;
  SuperResolutionOptions options_;
  std::vector<Set> sets_;
};

}  // namespace suanli
