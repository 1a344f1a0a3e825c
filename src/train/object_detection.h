/// Detection of objects: boxes in a picture, each with a class and a score.
#pragma once

#include <span>
#include <vector>

#include "data/model_input.h"
#include "train/detection_scores.h"
#include "train/picture_sets.h"
#include "train/task.h"

namespace suanli {

struct ObjectDetectionOptions {
  AugmentOptions augment = {};  ///< of training
  uint64_t seed = 42;           ///< of the augmentation
};

/// The task over a network with detection_losses and detect, which must outlive it. A row names a picture of one of
/// the task's sets; it is decoded, and in training augmented, when a batch is made. Pictures become squares; scores are
/// of boxes in the pictures as they were. The loss is the sum of the network's four.
class ObjectDetection final : public Task {
 public:
  /// Throws UserError for a processor that does not give squares.
  ObjectDetection(const models::Model& model, ImageProcessor processor, ObjectDetectionOptions options);

  /// The rows of a further set. Throws UserError for a class that the model does not have.
  std::vector<EncodedExample> add(std::vector<ImageExample> pictures);
  /// A row of no set, to find what is in it. Throws UserError for a picture that cannot be read.
  EncodedExample unlabelled(const ImageExample& picture) const;

  /// Rows come from add(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override;
  EncodedExample scored(const EncodedExample& row) const override;
  int64_t items(const Batch& batch) const override { return batch.size(); }
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// What each picture of a batch shows, in the pixels of the picture as it was.
  std::vector<std::vector<DetectedObject>> found(const Batch& batch, const nn::Mode& mode) const;
  /// Picture b of a batch of scored rows with its objects and what was found there with a score of at least 1/2.
  CaptionedImage drawn(const Batch& batch, size_t b, std::span<const DetectedObject> found) const;
  const std::vector<std::string>& labels() const { return model_.config().labels; }

 private:
  EncodedExample read(std::span<const ImageExample> pictures, const EncodedExample& row,
                      const std::optional<Draw>& draw) const;
  Tensor pixels(const Batch& batch) const;

  const models::Model& model_;
  ImageInputOptions input_;
  uint64_t seed_;
  PictureSets sets_;
};

}  // namespace suanli
