#include "base/error.h"
#include "base/log.h"
#include "models/backbone.h"
#include "train/baseline_profile.h"
#include "train/image_data.h"
#include "train/object_detection.h"
#include "train/prepare.h"

namespace suanli {
namespace {

/// Gives the objects the ids that `labels` has for the names of their classes.
void relabel_objects(ImageDataset& data, const LabelTable& labels) {
  for (ImageExample& example : data.examples) {
    for (ImageObject& object : example.objects) {
      const std::string& name = data.class_names.at(static_cast<size_t>(object.label));
      object.label = static_cast<int32_t>(labels.id(name, example.file.string()));
    }
  }
}

}  // namespace

void prepare_boxed_image(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  if (run.precision.int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for pictures, got int8");
  ImageParts parts = read_image_parts(a, read_annotated_images, [](const ImageExample& each) { load_annotated(each); });
  const std::vector<std::string> known = models::config_labels(model_json, "config.json");
  const LabelTable labels = parts.train.class_names.empty() ? LabelTable::from_names(known)
                                                            : classes_of(parts.train.class_names, known, a.continues);
  const ImageProcessor processor = processor_of(a, model_json, parts.train);
  run.model = make_model(run, model_json, labels.names());
  if (!a.backbone_name_or_path.empty()) {
    models::load_backbone(run.model, a.backbone_name_or_path);
    log_info("the backbone begins with the weights of " + a.backbone_name_or_path);
  }

  auto owned = std::make_unique<ObjectDetection>(run.model, processor,
                                                 ObjectDetectionOptions{.augment = a.augment, .seed = a.seed});
  for (ImageDataset* part : {&parts.train, &parts.validation, &parts.test}) {
    if (!part->examples.empty()) relabel_objects(*part, labels);
  }
  if (a.do_train) run.baseline = picture_profile(parts.train.examples);
  keep_rows(
      std::move(parts),
      [task = owned.get()](std::vector<ImageExample> pictures, bool) { return task->add(std::move(pictures)); }, run);
  run.task = std::move(owned);
  run.write_others = [processor](const std::filesystem::path& folder) { write_processor(folder, processor); };
}

}  // namespace suanli
