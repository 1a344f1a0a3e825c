#include "train/image_segmentation.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "train/task_parts.h"

namespace suanli {

void PixelScores::add(std::span<const int32_t> truth, std::span<const int32_t> prediction) {
  SUANLI_ASSERT(truth.size() == prediction.size());
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] != kIgnoredLabel) matrix_.add(truth[i], prediction[i]);
  }
}

std::vector<double> PixelScores::iou() const {
  std::vector<double> out;
  for (const ClassCounts& c : matrix_.per_class()) {
    out.push_back(static_cast<double>(c.true_positive) /
                  static_cast<double>(c.true_positive + c.false_positive + c.false_negative));
  }
  return out;
}

Scores PixelScores::scores() const {
  const std::vector<double> each = iou();
  return {{"accuracy", matrix_.accuracy()},
          {"mean_iou", mean_of_defined(each)},
          {"mean_iou_foreground", mean_of_defined(std::span(each).subspan(1))}};
}

namespace {

class SegmentationScorer final : public Scorer {
 public:
  explicit SegmentationScorer(const ImageSegmentation& task)
      : task_(task), pixels_(static_cast<int64_t>(task.labels().size())) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = task_.inputs(batch);
    const Tensor logits = task_.logits(inputs, mode);
    loss_.add(static_cast<double>(number_of(ops::cross_entropy(logits, inputs.labels))),
              static_cast<double>(task_.items(batch)));
    const std::vector<float> values = host_values(logits);
    std::vector<int32_t> decided(inputs.labels.host<int32_t>().size());
    for (size_t i = 0; i < decided.size(); ++i) {
      decided[i] = static_cast<int32_t>(largest(values, static_cast<int64_t>(i), inputs.classes));
    }
    pixels_.add(inputs.labels.host<int32_t>(), decided);
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = pixels_.scores();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string report() const override {
    const std::vector<double> iou = pixels_.iou();
    std::string text = "intersection over union\n";
    for (size_t label = 0; label < iou.size(); ++label) {
      text += concat("  ", task_.labels()[label], " ", number_text(static_cast<float>(iou[label])), "\n");
    }
    return text;
  }

 private:
  const ImageSegmentation& task_;
  MeanLoss loss_;
  PixelScores pixels_;
};

}  // namespace

ImageSegmentation::ImageSegmentation(const models::Model& model, ImageProcessor processor,
                                     ImageSegmentationOptions options)
    : model_(model),
      input_{std::move(processor), std::move(options.augment)},
      seed_(options.seed),
      instance_masks_(options.instance_masks) {
  const ImageProcessor& p = input_.processor;
  if (p.height < 1 || p.height != p.width || p.do_center_crop) {
    throw UserError("preprocessor_config.json",
                    concat("expected a \"size\" as high as wide, without a crop, for segmentation, got ", p.height,
                           " x ", p.width));
  }
  if (instance_masks_ && labels().size() != 2) {
    throw UserError("instance_masks", concat("expected a model of two classes, got ", labels().size()));
  }
}

std::vector<EncodedExample> ImageSegmentation::add(std::vector<ImageExample> pictures) {
  std::vector<EncodedExample> rows(pictures.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].row = static_cast<int64_t>(i);
    rows[i].set = static_cast<int64_t>(sets_.size());
  }
  sets_.push_back(std::move(pictures));
  return rows;
}

EncodedExample ImageSegmentation::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures with masks, got texts");
}

EncodedExample ImageSegmentation::read(const EncodedExample& row, const std::optional<Draw>& draw) const {
  const std::vector<ImageExample>& set = sets_[static_cast<size_t>(row.set)];
  const AnnotatedInput input = annotated_input(set, row.row, input_.processor.height, input_, draw);
  EncodedExample out = row;
  out.features = channels_last(input.pixel_values, input.channels);
  out.targets.reserve(input.mask.values.size());
  for (const uint16_t value : input.mask.values) {
    const auto label = instance_masks_ ? static_cast<uint16_t>(value > 0) : value;
    const bool ignored = !instance_masks_ && value == kIgnoredPixel;
    if (!ignored && label >= labels().size()) {
      throw UserError(set[static_cast<size_t>(row.row)].mask.string(),
                      concat("expected classes 0 to ", labels().size() - 1, ", or ", kIgnoredPixel, " for none, got ",
                             label, "; set instance_masks where the numbers are those of things"));
    }
    out.targets.push_back(static_cast<float>(ignored ? kIgnoredLabel : label));
  }
  return out;
}

EncodedExample ImageSegmentation::draw(const EncodedExample& row, int64_t epoch) const {
  return read(row, Draw{.seed = seed_, .epoch = epoch});
}

EncodedExample ImageSegmentation::scored(const EncodedExample& row) const { return read(row, {}); }

int64_t ImageSegmentation::items(const Batch& batch) const {
  return std::ranges::count_if(batch.targets, [](float label) { return label >= 0; });
}

LossInputs ImageSegmentation::inputs(const Batch& batch) const {
  const int64_t size = input_.processor.height, channels = input_.processor.channels();
  LossInputs inputs;
  inputs.features = numbers(batch.features).reshape({batch.size(), size, size, channels});
  inputs.labels = integers(std::vector<int32_t>(batch.targets.begin(), batch.targets.end()));
  inputs.classes = static_cast<int64_t>(labels().size());
  return inputs;
}

Tensor ImageSegmentation::logits(const LossInputs& inputs, const nn::Mode& mode) const {
  const Device device = model_.parameters->all().front().value.device();
  const Tensor logits = model_.network->pixel_logits(inputs.features.on(device), mode);
  return ops::reshape(logits, {logits.elements() / logits.dim(3), logits.dim(3)});
}

Tensor ImageSegmentation::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  return ops::cross_entropy(logits(inputs, mode), inputs.labels, {.normalizer = normalizer});
}

std::unique_ptr<Scorer> ImageSegmentation::scorer(bool) const { return std::make_unique<SegmentationScorer>(*this); }

}  // namespace suanli
