#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "train/baseline_profile.h"
#include "train/image_data.h"
#include "train/key_points.h"
#include "train/prepare.h"

namespace suanli {
namespace {

/// How many key points the objects of a data set have; 0: there is none with any.
int64_t key_points_of(const ImageDataset& data) {
  for (const ImageExample& example : data.examples) {
    for (const ImageObject& object : example.objects) {
      if (!object.key_points.empty()) return static_cast<int64_t>(object.key_points.size());
    }
  }
  return 0;
}

}  // namespace

void prepare_key_points(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  if (run.precision.int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for pictures, got int8");
  ImageParts parts = read_image_parts(a, read_annotated_images, [](const ImageExample& each) { load_image(each); });
  const int64_t key_points = key_points_of(parts.train);
  if (a.do_train && key_points == 0) {
    throw UserError(a.train_file, "expected key points, as data.yaml of YOLO or a json of COCO has them, got none");
  }
  Json json = model_json;
  if (!json.contains("num_keypoints")) json["num_keypoints"] = key_points;
  if (a.image_size > 0) json["image_size"] = a.image_size;
  const ImageProcessor processor = processor_of(a, json, parts.train);
  run.model = make_model(run, json, {});
  AugmentOptions augment = a.augment;
  augment.flip_idx = parts.train.flip_idx;
  if (augment.flip_idx.empty() && (augment.fliplr > 0 || augment.flipud > 0) && a.do_train) {
    log_warning("the data has no flip_idx, which key points change places in a mirror: fliplr and flipud are 0");
    augment.fliplr = augment.flipud = 0;
  }
  auto owned = std::make_unique<KeyPoints>(run.model, processor, KeyPointOptions{.augment = augment, .seed = a.seed});
  if (a.do_train) run.baseline = picture_profile(parts.train.examples);
  keep_rows(
      std::move(parts),
      [task = owned.get()](std::vector<ImageExample> pictures, bool) { return task->add(std::move(pictures)); }, run);
  run.task = std::move(owned);
  run.write_others = [processor](const std::filesystem::path& folder) { write_processor(folder, processor); };
}

}  // namespace suanli
