#include "data/model_input.h"

#include <utility>

#include "base/error.h"
#include "image/resize.h"

namespace suanli {
namespace {

const ImageExample& example_at(std::span<const ImageExample> examples, int64_t index) {
  SUANLI_ASSERT(index >= 0 && index < static_cast<int64_t>(examples.size()));
  return examples[static_cast<size_t>(index)];
}

std::vector<float> pixel_values_of(const Image& image, const ImageProcessor& processor) {
  std::vector<float> values(image.values.size());
  processor.pixel_values(image, values);
  return values;
}

}  // namespace

DecodeOptions decode_options(const ImageProcessor& processor) {
  return {.channels = processor.channels() == 1 ? Channels::grey : Channels::rgb};
}

ClassifiedInput classified_input(std::span<const ImageExample> examples, int64_t index,
                                 const ImageInputOptions& options, const std::optional<Draw>& draw) {
  const DecodeOptions decode = decode_options(options.processor);
  const ImageProcessor& processor = options.processor;
  ClassifiedInput input;
  input.label = example_at(examples, index).label;
  Image image = load_image(example_at(examples, index), decode);
  if (!draw) {
    image = processor.resized(image);
  } else {
    const auto [height, width] = processor.output_size(image.height, image.width);
    RandomGenerator random = augment_random(draw->seed, draw->epoch, index);
    image = augment_classified(image, height, width, options.augment, random);
    LabelMix mix = draw_mix(static_cast<int64_t>(examples.size()), options.augment, random);
    if (mix.partner >= 0) {
      const ImageExample& partner = example_at(examples, mix.partner);
      const Image other = augment_classified(load_image(partner, decode), height, width, options.augment, random);
      apply_mix(&image, other, &mix, random);
      input.other_label = partner.label;
      input.share = mix.share;
    }
  }
  input.channels = image.channels;
  input.height = image.height;
  input.width = image.width;
  input.pixel_values = pixel_values_of(image, processor);
  return input;
}

AnnotatedInput annotated_input(std::span<const ImageExample> examples, int64_t index, int64_t size,
                               const ImageInputOptions& options, const std::optional<Draw>& draw) {
  const DecodeOptions decode = decode_options(options.processor);
  AnnotatedImage annotated;
  AnnotatedInput input;
  if (!draw) {
    annotated = load_annotated(example_at(examples, index), decode);
    input.picture_height = annotated.image.height;
    input.picture_width = annotated.image.width;
    letterbox(&annotated, size, size);
  } else {
    const auto fetch = [&](int64_t other) { return load_annotated(example_at(examples, other), decode); };
    RandomGenerator random = augment_random(draw->seed, draw->epoch, index);
    annotated = augment_annotated(index, static_cast<int64_t>(examples.size()), fetch, size, options.augment, random);
  }
  input.channels = annotated.image.channels;
  input.size = size;
  input.pixel_values = pixel_values_of(annotated.image, options.processor);
  input.objects = std::move(annotated.objects);
  input.mask = std::move(annotated.mask);
  return input;
}

std::vector<float> channels_last(std::span<const float> values, int64_t channels) {
  const auto depth = static_cast<size_t>(channels), pixels = values.size() / depth;
  std::vector<float> out(values.size());
  for (size_t i = 0; i < values.size(); ++i) out[i] = values[i % depth * pixels + i / depth];
  return out;
}

AudioFeatures audio_input(std::span<const ImageExample> examples, int64_t index, const FeatureExtractor& extractor,
                          const SpecAugmentOptions& options, const std::optional<Draw>& draw) {
  AudioFeatures features = extractor.features(read_audio(example_at(examples, index).file));
  if (draw) {
    RandomGenerator random = spec_augment_random(draw->seed, draw->epoch, index);
    spec_augment(&features, options, random);
  }
  return features;
}

}  // namespace suanli
