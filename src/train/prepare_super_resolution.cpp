#include "base/error.h"
#include "train/image_data.h"
#include "train/prepare.h"
#include "train/super_resolution.h"

namespace suanli {

void prepare_super_resolution(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  if (run.precision.int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for pictures, got int8");
  ImageParts parts = read_image_parts(
      a, [](const auto& file, const auto&) { return read_image_folder(file); },
      [](const ImageExample& each) { load_image(each); });
  run.model = make_model(run, model_json, {});
  SuperResolutionOptions options = {.augment = a.augment, .seed = a.seed};
  if (a.image_size > 0) options.crop_size = a.image_size;
  auto owned = std::make_unique<SuperResolution>(run.model, std::move(options));
  keep_rows(
      std::move(parts),
      [task = owned.get()](std::vector<ImageExample> pictures, bool training) {
        return task->add(std::move(pictures), training);
      },
      run);
  run.task = std::move(owned);
}

}  // namespace suanli
