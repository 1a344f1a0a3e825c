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
  keep_rows(
      std::move(parts),
      [task = owned.get()](std::vector<ImageExample> pictures, bool) { return task->add(std::move(pictures)); }, run);
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
