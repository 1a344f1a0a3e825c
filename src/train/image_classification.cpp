#include "train/image_classification.h"

#include "base/error.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

std::vector<float> values_of(const ClassifiedInput& input) { return channels_last(input.pixel_values, input.channels); }

}  // namespace

ImageClassification::ImageClassification(const models::Model& model, ImageProcessor processor,
                                         ImageClassificationOptions options)
    : Classification(model, LabelKind::single, options.label_smoothing),
      input_{std::move(processor), std::move(options.augment)},
      seed_(options.seed) {
  if (input_.processor.output_size(100, 200) != input_.processor.output_size(200, 100)) {
    throw UserError("preprocessor_config.json",
                    "expected pictures of one size: a size with height and width, or do_center_crop with crop_size");
  }
}

std::vector<EncodedExample> ImageClassification::add(std::vector<ImageExample> pictures) {
  std::vector<EncodedExample> rows(pictures.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].targets = {static_cast<float>(pictures[i].label)};
    rows[i].row = static_cast<int64_t>(i);
    rows[i].set = static_cast<int64_t>(sets_.size());
  }
  sets_.push_back(std::move(pictures));
  return rows;
}

EncodedExample ImageClassification::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures, got texts");
}

EncodedExample ImageClassification::draw(const EncodedExample& row, int64_t epoch) const {
  EncodedExample out = row;
  const Draw draw = {.seed = seed_, .epoch = epoch};
  out.features = values_of(classified_input(sets_[static_cast<size_t>(row.set)], row.row, input_, draw));
  return out;
}

EncodedExample ImageClassification::scored(const EncodedExample& row) const {
  EncodedExample out = row;
  out.features = values_of(classified_input(sets_[static_cast<size_t>(row.set)], row.row, input_, {}));
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
