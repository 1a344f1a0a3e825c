#include "base/concat.h"
#include "base/error.h"
#include "train/baseline_profile.h"
#include "train/image_classification.h"
#include "train/image_data.h"
#include "train/prepare.h"

namespace suanli {
namespace {

/// Gives the pictures the ids that `labels` has for the names of their classes.
void relabel(ImageDataset& data, const LabelTable& labels) {
  std::vector<int32_t> ids;
  for (const std::string& name : data.class_names) ids.push_back(static_cast<int32_t>(labels.find(name)));
  for (ImageExample& example : data.examples) {
    const auto old = static_cast<size_t>(example.label);
    if (ids[old] < 0) static_cast<void>(labels.id(data.class_names[old], example.file.string()));  // names the nearest
    example.label = ids[old];
  }
}

}  // namespace

void prepare_image(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  if (run.precision.int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for pictures, got int8");
  ImageParts parts = read_image_parts(
      a, [](const auto& file, const auto&) { return read_classified_images(file); },
      [](const ImageExample& each) { load_image(each); });
  const std::vector<std::string> known = models::config_labels(model_json, "config.json");
  const LabelTable labels = parts.train.class_names.empty() ? LabelTable::from_names(known)
                                                            : classes_of(parts.train.class_names, known, a.continues);
  const ImageProcessor processor = processor_of(a, model_json, parts.train);
  run.model = make_model(run, model_json, labels.names());

  auto owned = std::make_unique<ImageClassification>(
      run.model, processor,
      ImageClassificationOptions{.augment = a.augment, .seed = a.seed, .label_smoothing = a.label_smoothing_factor});
  for (ImageDataset* part : {&parts.train, &parts.validation, &parts.test}) {
    if (!part->examples.empty()) relabel(*part, labels);
  }
  if (a.do_train) run.baseline = picture_profile(parts.train.examples, labels.names());
  keep_rows(
      std::move(parts),
      [task = owned.get()](std::vector<ImageExample> pictures, bool) { return task->add(std::move(pictures)); }, run);
  run.task = std::move(owned);
  run.write_others = [processor](const std::filesystem::path& folder) { write_processor(folder, processor); };
}

}  // namespace suanli
