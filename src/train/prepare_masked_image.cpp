#include "base/error.h"
#include "train/baseline_profile.h"
#include "train/image_data.h"
#include "train/image_segmentation.h"
#include "train/prepare.h"

namespace suanli {
namespace {

SegmentationLoss loss_named(const TrainArguments& a) {
  const std::string name = chosen_loss(a, {"cross_entropy", "dice", "cross_entropy_dice"});
  if (name == "dice") return SegmentationLoss::dice;
  return name == "cross_entropy" ? SegmentationLoss::cross_entropy : SegmentationLoss::cross_entropy_dice;
}

}  // namespace

void prepare_masked_image(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  if (run.precision.int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for pictures, got int8");
  ImageParts parts = read_image_parts(
      a, [](const auto& file, const auto&) { return read_masked_images(file); },
      [](const ImageExample& each) { load_annotated(each); });
  const ImageProcessor processor = processor_of(a, model_json, parts.train);
  run.model = make_model(run, model_json, models::config_labels(model_json, "config.json"));
  auto owned = std::make_unique<ImageSegmentation>(
      run.model, processor,
      ImageSegmentationOptions{
          .augment = a.augment, .seed = a.seed, .instance_masks = a.instance_masks, .loss = loss_named(a)});
  if (a.do_train) run.baseline = picture_profile(parts.train.examples);
  keep_rows(
      std::move(parts),
      [task = owned.get()](std::vector<ImageExample> pictures, bool) { return task->add(std::move(pictures)); }, run);
  run.task = std::move(owned);
  run.write_others = [processor](const std::filesystem::path& folder) { write_processor(folder, processor); };
}

}  // namespace suanli
