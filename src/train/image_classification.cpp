#include "train/image_classification.h"

#include "base/error.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

std::vector<float> values_of(const ClassifiedInput& input) { return channels_last(input.pixel_values, input.channels); }

/// Targets of a drawn picture that may be mixed: label, other label, share of the first.
constexpr int64_t kMixedWidth = 3;

/// The share of each class in mixed pictures, [B * classes], with label smoothing e: (1 - e) share + e / classes.
std::vector<float> shares_of(std::span<const float> mixed, int64_t classes, double smoothing) {
  const size_t pictures = mixed.size() / kMixedWidth, width = static_cast<size_t>(classes);
  std::vector<float> out(pictures * width, static_cast<float>(smoothing / static_cast<double>(classes)));
  const float kept = 1 - static_cast<float>(smoothing);
  for (size_t b = 0; b < pictures; ++b) {
    const float* target = &mixed[b * kMixedWidth];
    out[b * width + static_cast<size_t>(target[0])] += kept * target[2];
    out[b * width + static_cast<size_t>(target[1])] += kept * (1 - target[2]);
  }
  return out;
}

}  // namespace

ImageClassification::ImageClassification(const models::Model& model, ImageProcessor processor,
                                         ImageClassificationOptions options)
    : Classification(model, LabelKind::single, options.label_smoothing),
      input_{std::move(processor), std::move(options.augment)},
      seed_(options.seed),
      label_smoothing_(options.label_smoothing) {
  if (input_.processor.output_size(100, 200) != input_.processor.output_size(200, 100)) {
    throw UserError("preprocessor_config.json",
                    "expected pictures of one size: a size with height and width, or do_center_crop with crop_size");
  }
}

std::vector<EncodedExample> ImageClassification::add(std::vector<ImageExample> pictures) {
  return sets_.add(std::move(pictures));
}

EncodedExample ImageClassification::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures, got texts");
}

EncodedExample ImageClassification::draw(const EncodedExample& row, int64_t epoch) const {
  EncodedExample out = row;
  const Draw draw = {.seed = seed_, .epoch = epoch};
  const ClassifiedInput input = classified_input(sets_.of(row), row.row, input_, draw);
  out.features = values_of(input);
  if (input_.augment.mixup > 0 || input_.augment.cutmix > 0) {
    const int32_t other = input.other_label < 0 ? input.label : input.other_label;
    out.targets = {static_cast<float>(input.label), static_cast<float>(other), static_cast<float>(input.share)};
  }
  return out;
}

LossInputs ImageClassification::inputs(const Batch& batch) const {
  if (batch.target_width != kMixedWidth) return Classification::inputs(batch);
  LossInputs out = examples(batch);
  out.targets =
      numbers(shares_of(batch.targets, static_cast<int64_t>(model().config().labels.size()), label_smoothing_));
  return out;
}

EncodedExample ImageClassification::scored(const EncodedExample& row) const {
  EncodedExample out = row;
  out.features = values_of(classified_input(sets_.of(row), row.row, input_, {}));
  return out;
}

EncodedExample ImageClassification::unlabelled(const ImageExample& picture) const {
  EncodedExample out;
  out.features = values_of(classified_input({&picture, 1}, 0, input_, {}));
  out.targets = {0};
  return out;
}

LossInputs ImageClassification::examples(const Batch& batch) const {
  const auto [height, width] = input_.processor.output_size(1, 1);
  const int64_t channels = input_.processor.channels();
  return {.features = numbers(batch.features).reshape({batch.size(), height, width, channels})};
}

Tensor ImageClassification::logits(const LossInputs& inputs, const nn::Mode& mode) const {
  const Device device = model().parameters->all().front().value.device();
  return model().network->image_logits(inputs.features.on(device), mode);
}

}  // namespace suanli
