/// Semantic segmentation: a class for each pixel of a picture.
#pragma once

#include <span>
#include <vector>

#include "data/model_input.h"
#include "train/task.h"

namespace suanli {

/// Pixels whose mask has this number count for nothing (transformers' semantic_loss_ignore_index).
constexpr uint16_t kIgnoredPixel = 255;

struct ImageSegmentationOptions {
  AugmentOptions augment = {};  ///< of training
  uint64_t seed = 42;           ///< of the augmentation
  bool instance_masks = false;  ///< masks number things: 0 is class 0, all else class 1
};

/// Counts of pixels: what each class has in common with the truth, over a whole data set.
class PixelScores {
 public:
  explicit PixelScores(int64_t classes) : matrix_(classes) {}
  /// A pixel each; a truth of kIgnoredLabel counts for nothing.
  void add(std::span<const int32_t> truth, std::span<const int32_t> prediction);
  /// Intersection over union, TP / (TP + FP + FN), of each class; NaN for one in neither truth nor prediction.
  std::vector<double> iou() const;
  /// accuracy, mean_iou (over the classes that occur, as Hugging Face's evaluate), and mean_iou_foreground, the same
  /// without class 0.
  Scores scores() const;

 private:
  ConfusionMatrix matrix_;
};

/// The task over a network with pixel_logits, which must outlive it. A row names a picture of one of the task's sets;
/// it is decoded, and in training augmented, when a batch is made. Pictures become squares; what is added to make them
/// so is of class 0.
class ImageSegmentation final : public Task {
 public:
  /// Throws UserError for a processor that does not give squares, and for instance masks beside other than two classes.
  ImageSegmentation(const models::Model& model, ImageProcessor processor, ImageSegmentationOptions options);

  /// The rows of a further set. Each picture has a mask.
  std::vector<EncodedExample> add(std::vector<ImageExample> pictures);

  /// Rows come from add(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override;
  EncodedExample scored(const EncodedExample& row) const override;
  int64_t items(const Batch& batch) const override;
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// [B * size * size, classes] f32.
  Tensor logits(const LossInputs& inputs, const nn::Mode& mode) const;
  const std::vector<std::string>& labels() const { return model_.config().labels; }

 private:
  EncodedExample read(const EncodedExample& row, const std::optional<Draw>& draw) const;

  const models::Model& model_;
  ImageInputOptions input_;
  uint64_t seed_;
  bool instance_masks_;
  std::vector<std::vector<ImageExample>> sets_;
};

}  // namespace suanli
