/// Semantic segmentation: a class for each pixel of a picture.
#pragma once

#include <span>
#include <vector>

#include "data/model_input.h"
#include "train/picture_sets.h"
#include "train/task.h"

namespace suanli {

/// Pixels whose mask has this number count for nothing (transformers' semantic_loss_ignore_index).
constexpr uint16_t kIgnoredPixel = 255;

/// What a network that labels pixels learns by: ops::cross_entropy, ops::dice_loss, or their sum.
enum class SegmentationLoss : uint8_t { cross_entropy, dice, cross_entropy_dice };

struct ImageSegmentationOptions {
  AugmentOptions augment = {};  ///< of training
  uint64_t seed = 42;           ///< of the augmentation
  bool instance_masks = false;  ///< masks number things: 0 is class 0, all else class 1
  SegmentationLoss loss = SegmentationLoss::cross_entropy;
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

  /// A picture of no set, whose pixels are to be labelled. Thread safe. Throws UserError.
  EncodedExample unlabelled(const ImageExample& picture) const;
  /// The side of the squares that pictures become.
  int64_t side() const { return input_.processor.height; }
  /// The loss of logits [B * size * size, classes], per counted pixel where `normalizer` is 0.
  Tensor loss_of(const Tensor& logits, const LossInputs& inputs, double normalizer) const;
  /// [B * size * size, classes] f32.
  Tensor logits(const LossInputs& inputs, const nn::Mode& mode) const;
  /// Picture b of a batch, the same with its true classes, and with those that were `decided`: [side * side] each.
  CaptionedImage drawn(const Batch& batch, size_t b, std::span<const int32_t> truth,
                       std::span<const int32_t> decided) const;
  const std::vector<std::string>& labels() const { return model_.config().labels; }

 private:
  EncodedExample read(const EncodedExample& row, const std::optional<Draw>& draw) const;

  const models::Model& model_;
  ImageInputOptions input_;
  uint64_t seed_;
  bool instance_masks_;
  SegmentationLoss loss_;
  PictureSets sets_;
};

}  // namespace suanli
