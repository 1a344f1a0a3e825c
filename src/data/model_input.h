/// From a file of a data set to the numbers that a network gets: each a function of (example, settings, seed, epoch,
/// index) alone, so that any number of threads may ask in any order (a Loader's FetchExample).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "audio/features.h"
#include "data/image_dataset.h"
#include "image/augment.h"
#include "image/processor.h"

namespace suanli {

/// Which draw of the augmentation: none for evaluation and prediction.
struct Draw {
  uint64_t seed = 0;
  int64_t epoch = 0;
};

struct ImageInputOptions {
  ImageProcessor processor;  ///< of the model's preprocessor_config.json
  AugmentOptions augment;    ///< of training
};

/// With the channels that the processor takes.
DecodeOptions decode_options(const ImageProcessor& processor);

/// A picture with one label, or with two that share it (mixup, cutmix).
struct ClassifiedInput {
  std::vector<float> pixel_values;  ///< [C, H, W]
  int64_t channels = 0, height = 0, width = 0;
  int32_t label = -1, other_label = -1;
  double share = 1;  ///< of `label`; 1 - share belongs to other_label
};

/// Example `index`. With a draw: augment_classified to the size that the processor gives a picture, mixed with another
/// example by draw_mix. Without: as the processor does it. Throws like read_image.
ClassifiedInput classified_input(std::span<const ImageExample> examples, int64_t index,
                                 const ImageInputOptions& options, const std::optional<Draw>& draw);

/// A picture with its objects and mask, all in the pixels of the result.
struct AnnotatedInput {
  std::vector<float> pixel_values;  ///< [C, size, size]
  int64_t channels = 0, size = 0;
  int64_t picture_height = 0, picture_width = 0;  ///< of the picture that was letterboxed
  std::vector<ImageObject> objects;
  Mask mask;
};

/// Example `index` as a square of `size` pixels. With a draw: augment_annotated over all examples. Without: letterboxed
/// (letterbox_place leads back). The processor rescales and normalises alone. `flip_idx` of options.augment is asked.
AnnotatedInput annotated_input(std::span<const ImageExample> examples, int64_t index, int64_t size,
                               const ImageInputOptions& options, const std::optional<Draw>& draw);

/// Values [C, pixels] as networks take them: [pixels, C].
std::vector<float> channels_last(std::span<const float> values, int64_t channels);

/// The features [T, M] of sound `index`. With a draw: spec_augment. Throws like read_audio.
AudioFeatures audio_input(std::span<const ImageExample> examples, int64_t index, const FeatureExtractor& extractor,
                          const SpecAugmentOptions& options, const std::optional<Draw>& draw);

}  // namespace suanli
