#include "base/error.h"
#include "image/png.h"
#include "models/dcgan/dcgan.h"
#include "train/image_data.h"
#include "train/image_generation.h"
#include "train/prepare.h"

namespace suanli {
namespace {

constexpr int64_t kSamples = 64, kSampleColumns = 8;

/// An idx file, or a folder of pictures with or without classes.
ImageDataset read_pictures(const std::filesystem::path& file_or_folder) {
  return std::filesystem::is_directory(file_or_folder) ? read_image_folder(file_or_folder)
                                                       : read_idx_images(file_or_folder);
}

}  // namespace

void prepare_generated_image(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  if (run.precision.int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for pictures, got int8");
  ImageParts parts = read_image_parts(
      a, [](const auto& file, const auto&) { return read_pictures(file); },
      [](const ImageExample& each) { load_image(each); });
  const ImageProcessor processor = processor_of(a, model_json, {});  // -1 to 1, as the generator's tanh
  run.model = make_model(run, model_json, {});
  auto features = a.feature_model.empty() ? nullptr : FeatureModel::load(a.feature_model, run.device);
  auto owned = std::make_unique<ImageGeneration>(run.model, processor, a.seed, std::move(features));
  const auto rows = [task = owned.get()](ImageDataset& data, int64_t limit) {
    std::vector<ImageExample>& all = data.examples;
    if (limit >= 0 && static_cast<size_t>(limit) < all.size()) all.resize(static_cast<size_t>(limit));
    return all.empty() ? Dataset() : Dataset{task->add(std::move(all))};
  };
  if (a.do_train) run.train = rows(parts.train, a.max_train_samples);
  run.validation = rows(parts.validation, a.max_eval_samples);
  run.test = rows(parts.test, a.max_predict_samples);
  run.task = std::move(owned);
  const int64_t latent_size = models::dcgan_config(run.model.config().json, "config.json").latent_size;
  run.write_others = [&run, processor,
                      latent = latent_numbers(a.seed, kSamples, latent_size)](const std::filesystem::path& folder) {
    write_processor(folder, processor);
    const std::vector<Image> samples =
        generated_pictures(run.model, processor, latent, {.training = false, .dtype = run.precision.dtype});
    write_png(folder / "samples.png", image_grid(samples, kSampleColumns));
  };
}

}  // namespace suanli
