/// Pictures out of random numbers: two networks that learn from each other (Goodfellow et al. 2014).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "data/model_input.h"
#include "train/picture_sets.h"
#include "train/task.h"

namespace suanli {

/// A classifier whose features of generated and real pictures are compared.
struct FeatureModel {
  models::Model model;
  ImageProcessor processor;

  /// The folder of a trained classifier of pictures. Throws UserError.
  static std::shared_ptr<const FeatureModel> load(const std::filesystem::path& folder, Device device);
  /// [B * F] of pictures.
  std::vector<float> features(std::span<const Image> pictures) const;
};

/// Normal numbers [count, size] f32, the same for equal seeds.
Tensor latent_numbers(uint64_t seed, int64_t count, int64_t size);

/// The pictures that `model` makes of latent numbers [B, Z].
std::vector<Image> generated_pictures(const models::Model& model, const ImageProcessor& processor, const Tensor& latent,
                                      const nn::Mode& mode);

/// The task over a network with generated_images and realness_logits, G and D below, which must outlive it. A row names
/// a picture of one of the task's sets; its latent numbers z are drawn from (seed, epoch, row). One step updates both
/// networks from the same weights: with the means over the batch of b(x) = log(1 + exp(-x)),
///   loss = b(D(real)) + b(-D(G(z) held)) + b(D held (G(z)))
/// where what is held takes no gradient: the first two terms teach D, the last one G (the non-saturating loss). AdamW
/// is element by element, so that one of it over all parameters is one for each network.
class ImageGeneration final : public Task {
 public:
  /// `features` null: no Frechet distance among the scores. Throws UserError for pictures of another size than the
  /// model's.
  ImageGeneration(const models::Model& model, ImageProcessor processor, uint64_t seed,
                  std::shared_ptr<const FeatureModel> features);

  /// The rows of a further set.
  std::vector<EncodedExample> add(std::vector<ImageExample> pictures) { return sets_.add(std::move(pictures)); }

  /// Rows come from add(), not from examples of text.
  EncodedExample encode(const Example& example, const std::string& where) const override;
  EncodedExample draw(const EncodedExample& row, int64_t epoch) const override;
  EncodedExample scored(const EncodedExample& row) const override;
  int64_t items(const Batch& batch) const override { return batch.size(); }
  LossInputs inputs(const Batch& batch) const override;
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override;
  /// Scores: loss and its parts discriminator_loss and generator_loss; with a feature model frechet_distance between
  /// the pictures of the set and as many generated ones.
  std::unique_ptr<Scorer> scorer(bool keep_predictions) const override;

  /// The parts of the loss, each [1] f32: what D learns by, what G learns by.
  struct Losses {
    Tensor discriminator, generator;
  };
  /// Of pictures f32 [B,height,width,channels] and as many generated ones.
  Losses losses(const Tensor& real, const Tensor& generated, const nn::Mode& mode, double normalizer) const;
  const models::Model& model() const { return model_; }
  const ImageProcessor& processor() const { return input_.processor; }
  const FeatureModel* features() const { return features_.get(); }

 private:
  const models::Model& model_;
  ImageInputOptions input_;
  uint64_t seed_;
  int64_t latent_size_;
  std::shared_ptr<const FeatureModel> features_;
  PictureSets sets_;
};

}  // namespace suanli
