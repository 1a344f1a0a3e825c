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
  const auto rows = [task = owned.get()](ImageDataset& data, int64_t limit, bool crops) {
    std::vector<ImageExample>& all = data.examples;
    if (limit >= 0 && static_cast<size_t>(limit) < all.size()) all.resize(static_cast<size_t>(limit));
    return all.empty() ? Dataset() : Dataset{task->add(std::move(all), crops)};
  };
  if (a.do_train) run.train = rows(parts.train, a.max_train_samples, true);
  run.validation = rows(parts.validation, a.max_eval_samples, false);
  run.test = rows(parts.test, a.max_predict_samples, false);
  run.task = std::move(owned);
}

}  // namespace suanli
