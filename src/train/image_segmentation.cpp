#include "train/image_segmentation.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "image/png.h"
#include "ops/arithmetic.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "train/image_data.h"
#include "train/scored_pictures.h"
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
  SegmentationScorer(const ImageSegmentation& task, bool keep_pictures)
      : task_(task), keep_(keep_pictures), pixels_(static_cast<int64_t>(task.labels().size())) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = task_.inputs(batch);
    const Tensor logits = task_.logits(inputs, mode);
    loss_.add(static_cast<double>(number_of(task_.loss_of(logits, inputs, 0))),
              static_cast<double>(task_.items(batch)));
    const std::vector<float> values = host_values(logits);
    std::vector<int32_t> decided(inputs.labels.host<int32_t>().size());
    for (size_t i = 0; i < decided.size(); ++i) {
      decided[i] = static_cast<int32_t>(largest(values, static_cast<int64_t>(i), inputs.classes));
    }
    const std::span<const int32_t> truth = inputs.labels.host<int32_t>();
    pixels_.add(truth, decided);
    const size_t count = decided.size() / static_cast<size_t>(batch.size());
    for (size_t b = 0; keep_ && b < batch.rows.size() && pictures_.size() < kMostScoredPictures; ++b) {
      pictures_.push_back(
          task_.drawn(batch, b, truth.subspan(b * count, count), std::span(decided).subspan(b * count, count)));
    }
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
  bool keep_;
  MeanLoss loss_;
  PixelScores pixels_;
};

}  // namespace

ImageSegmentation::ImageSegmentation(const models::Model& model, ImageProcessor processor,
                                     ImageSegmentationOptions options)
    : model_(model),
      input_{std::move(processor), std::move(options.augment)},
      seed_(options.seed),
      instance_masks_(options.instance_masks),
      loss_(options.loss) {
  expect_squares(input_.processor, "segmentation");
  if (instance_masks_ && labels().size() != 2) {
    throw UserError("instance_masks", concat("expected a model of two classes, got ", labels().size()));
  }
}

std::vector<EncodedExample> ImageSegmentation::add(std::vector<ImageExample> pictures) {
  return sets_.add(std::move(pictures));
}

EncodedExample ImageSegmentation::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures with masks, got texts");
}

EncodedExample ImageSegmentation::read(const EncodedExample& row, const std::optional<Draw>& draw) const {
  const std::span<const ImageExample> set = sets_.of(row);
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

EncodedExample ImageSegmentation::unlabelled(const ImageExample& picture) const {
  const AnnotatedInput input = annotated_input({&picture, 1}, 0, input_.processor.height, input_, {});
  EncodedExample out;
  out.features = channels_last(input.pixel_values, input.channels);
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
  return loss_of(logits(inputs, mode), inputs, normalizer);
}

Tensor ImageSegmentation::loss_of(const Tensor& logits, const LossInputs& inputs, double normalizer) const {
  Tensor loss;
  if (loss_ != SegmentationLoss::dice) {
    loss = ops::cross_entropy(logits, inputs.labels, {.normalizer = normalizer});
  }
  if (loss_ != SegmentationLoss::cross_entropy) {
    const Tensor dice = ops::dice_loss(logits, inputs.labels, inputs.features.dim(0), {.normalizer = normalizer});
    loss = loss.defined() ? ops::add(loss, dice) : dice;
  }
  return loss;
}

CaptionedImage ImageSegmentation::drawn(const Batch& batch, size_t b, std::span<const int32_t> truth,
                                        std::span<const int32_t> decided) const {
  const Image image = picture_of(input_.processor, batch, b, side());
  const auto tinted = [&](std::span<const int32_t> classes) {
    Image out = image;
    Mask mask(side(), side(), 1);
    std::ranges::transform(classes, mask.values.begin(),
                           [](int32_t each) { return static_cast<uint16_t>(std::max(each, 0)); });
    tint(&out, mask);
    return out;
  };
  const std::vector<Image> three = {image, tinted(truth), tinted(decided)};
  return {"picture, truth, prediction", image_grid(three, std::ssize(three))};
}

std::unique_ptr<Scorer> ImageSegmentation::scorer(bool keep_predictions) const {
  return std::make_unique<SegmentationScorer>(*this, keep_predictions);
}

}  // namespace suanli
