/// The class of a picture.
#pragma once

#include <vector>

#include "data/model_input.h"
#include "train/classification.h"
#include "train/picture_sets.h"

namespace suanli {

struct ImageClassificationOptions {
  AugmentOptions augment = {};
  uint64_t seed = 42;  ///< of the augmentation
  double label_smoothing = 0;
};

/// The task over a network with image_logits, which must outlive it. A row names a picture of one of the task's sets;
/// it is decoded, and in training augmented and mixed with others, when a batch is made.
class ImageClassification final : public Classification {
 public:
  /// Throws UserError for a processor that gives pictures of different sizes.
  ImageClassification(const models::Model& model, ImageProcessor processor, ImageClassificationOptions options);

  /// The rows of a further set, whose class ids are those of the model.
  std::vector<EncodedExample> add(std::vector<ImageExample> pictures);

  /// Rows come from add(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override;
  EncodedExample scored(const EncodedExample& row) const override;
  /// Of drawn pictures, where options mix them, `targets` are the shares of the classes in place of `labels`.
  LossInputs inputs(const Batch& batch) const override;
  Tensor logits(const LossInputs& inputs, const nn::Mode& mode) const override;

  /// A picture of no set, to be classified. Thread safe. Throws UserError.
  EncodedExample unlabelled(const ImageExample& picture) const;

 protected:
  LossInputs examples(const Batch& batch) const override;

 private:
  ImageInputOptions input_;
  uint64_t seed_;
  double label_smoothing_;
  PictureSets sets_;
};

}  // namespace suanli
