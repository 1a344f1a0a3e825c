#include "train/object_detection.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "ops/arithmetic.h"
#include "train/image_data.h"
#include "train/scored_pictures.h"
#include "train/task_parts.h"

namespace suanli {

namespace {

class DetectionScorer final : public Scorer {
 public:
  DetectionScorer(const ObjectDetection& task, bool keep_predictions)
      : task_(task), keep_(keep_predictions), counts_(static_cast<int32_t>(task.labels().size())) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const auto size = static_cast<double>(batch.size());
    loss_.add(static_cast<double>(number_of(task_.loss(task_.inputs(batch), mode, size))), size);
    const std::vector<std::vector<DetectedObject>> found = task_.found(batch, mode);
    for (size_t b = 0; b < found.size(); ++b) {
      counts_.add(batch.objects[b], found[b]);
      if (!keep_) continue;
      predictions_.emplace_back(batch.rows[b], infer::detections_text(found[b], task_.labels()));
      if (pictures_.size() < kMostScoredPictures) pictures_.push_back(task_.drawn(batch, b, found[b]));
    }
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = counts_.scores();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

 private:
  const ObjectDetection& task_;
  bool keep_;
  MeanLoss loss_;
  DetectionScores counts_;
};

/// The place of picture b of a batch of scored rows, whose targets are its sides; of drawn rows the square itself.
infer::SquarePlace place_of(const Batch& batch, size_t b, int64_t size) {
  return {static_cast<int64_t>(batch.targets[2 * b]), static_cast<int64_t>(batch.targets[2 * b + 1]), size};
}

}  // namespace

ObjectDetection::ObjectDetection(const models::Model& model, ImageProcessor processor, ObjectDetectionOptions options)
    : model_(model), input_{std::move(processor), std::move(options.augment)}, seed_(options.seed) {
  expect_squares(input_.processor, "detection");
}

std::vector<EncodedExample> ObjectDetection::add(std::vector<ImageExample> pictures) {
  for (const ImageExample& picture : pictures) {
    for (const ImageObject& object : picture.objects) {
      if (object.label < 0 || object.label >= static_cast<int64_t>(labels().size())) {
        throw UserError(picture.file.string(),
                        concat("expected objects of classes 0 to ", labels().size() - 1, ", got ", object.label));
      }
    }
  }
  return sets_.add(std::move(pictures));
}

EncodedExample ObjectDetection::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures with boxes, got texts");
}

EncodedExample ObjectDetection::read(std::span<const ImageExample> pictures, const EncodedExample& row,
                                     const std::optional<Draw>& draw) const {
  const int64_t size = input_.processor.height;
  const AnnotatedInput input = annotated_input(pictures, row.row, size, input_, draw);
  EncodedExample out = row;
  out.features = channels_last(input.pixel_values, input.channels);
  out.objects = draw ? input.objects : pictures[static_cast<size_t>(row.row)].objects;
  out.targets = {static_cast<float>(draw ? size : input.picture_height),
                 static_cast<float>(draw ? size : input.picture_width)};
  return out;
}

EncodedExample ObjectDetection::draw(const EncodedExample& row, int64_t epoch) const {
  return read(sets_.of(row), row, Draw{.seed = seed_, .epoch = epoch});
}

EncodedExample ObjectDetection::scored(const EncodedExample& row) const { return read(sets_.of(row), row, {}); }

EncodedExample ObjectDetection::unlabelled(const ImageExample& picture) const { return read({&picture, 1}, {}, {}); }

Tensor ObjectDetection::pixels(const Batch& batch) const {
  const int64_t size = input_.processor.height;
  return numbers(batch.features).reshape({batch.size(), size, size, input_.processor.channels()});
}

LossInputs ObjectDetection::inputs(const Batch& batch) const {
  std::vector<float> boxes;
  std::vector<int32_t> classes, offsets = {0};
  const auto size = static_cast<double>(input_.processor.height);
  for (size_t b = 0; b < batch.objects.size(); ++b) {
    const infer::SquarePlace place = place_of(batch, b, input_.processor.height);
    for (const ImageObject& object : batch.objects[b]) {
      const Box box = place.to_square(object.box);
      const auto within = [&](double value) { return static_cast<float>(std::clamp(value, 0.0, size)); };
      const ops::CornerBox cut = {within(box.left), within(box.top), within(box.right), within(box.bottom)};
      if (object.ignored || !(cut.width() > 0 && cut.height() > 0)) continue;
      boxes.insert(boxes.end(), {cut.x1, cut.y1, cut.x2, cut.y2});
      classes.push_back(object.label);
    }
    offsets.push_back(static_cast<int32_t>(classes.size()));
  }
  LossInputs inputs;
  inputs.features = pixels(batch);
  inputs.targets = numbers(boxes).reshape({std::ssize(classes), 4});
  inputs.labels = integers(classes);
  inputs.rows = integers(offsets);
  inputs.classes = static_cast<int64_t>(labels().size());
  return inputs;
}

Tensor ObjectDetection::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  const Device device = model_.parameters->all().front().value.device();
  const models::DetectionLosses each =
      model_.network->detection_losses(inputs.features.on(device), {inputs.targets, inputs.labels, inputs.rows}, mode);
  const Tensor sum = ops::add(ops::add(each.objectness, each.rpn_box_reg), ops::add(each.classifier, each.box_reg));
  return ops::scale(sum, static_cast<double>(inputs.features.dim(0)) / normalizer);
}

std::vector<std::vector<DetectedObject>> ObjectDetection::found(const Batch& batch, const nn::Mode& mode) const {
  const Device device = model_.parameters->all().front().value.device();
  const auto detections = model_.network->detect(pixels(batch).on(device), mode);
  std::vector<std::vector<DetectedObject>> out(detections.size());
  for (size_t b = 0; b < out.size(); ++b) {
    out[b] = infer::on_picture(detections[b], place_of(batch, b, input_.processor.height));
  }
  return out;
}

CaptionedImage ObjectDetection::drawn(const Batch& batch, size_t b, std::span<const DetectedObject> found) const {
  constexpr float kSure = 0.5F;
  const int64_t side = input_.processor.height;
  const infer::SquarePlace place = place_of(batch, b, side);
  Image image = picture_of(input_.processor, batch, b, side);
  for (const ImageObject& object : batch.objects[b]) {
    draw_box(&image, place.to_square(object.box), {255, 255, 255}, 1);
  }
  std::vector<int64_t> counts(labels().size());
  for (const DetectedObject& each : found) {
    if (each.score < kSure) continue;
    draw_box(&image, place.to_square(each.box), class_color(each.label));
    ++counts[static_cast<size_t>(each.label)];
  }
  std::string caption = concat(batch.objects[b].size(), " objects in white; found:");
  for (size_t label = 0; label < counts.size(); ++label) caption += concat(" ", counts[label], " ", labels()[label]);
  return {caption, std::move(image)};
}

std::unique_ptr<Scorer> ObjectDetection::scorer(bool keep_predictions) const {
  return std::make_unique<DetectionScorer>(*this, keep_predictions);
}

}  // namespace suanli
