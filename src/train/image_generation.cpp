#include "train/image_generation.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "models/dcgan/dcgan.h"
#include "ops/arithmetic.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "train/frechet_distance.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

constexpr uint32_t kLatentSite = 0xDA7A0031, kSampleSite = 0xDA7A0032;
constexpr int kLatentBits = 20;               // draws of one row
constexpr int64_t kScoredEpoch = 0xFFFFFFFF;  // of the latent numbers of rows that are scored: no epoch of training

Device device_of(const models::Model& model) { return model.parameters->all().front().value.device(); }

/// Pictures f32 [B,height,width,channels] as the processor makes them, back in eight bits.
std::vector<Image> pictures_of(const Tensor& pixels, const ImageProcessor& processor) {
  const std::vector<float> values = host_values(ops::channels_first(pixels));
  const auto size = static_cast<size_t>(pixels.elements() / pixels.dim(0));
  std::vector<Image> out;
  for (size_t begin = 0; begin < values.size(); begin += size) {
    out.push_back(processor.picture(std::span(values).subspan(begin, size), pixels.dim(1), pixels.dim(2)));
  }
  return out;
}

class GenerationScorer final : public Scorer {
 public:
  explicit GenerationScorer(const ImageGeneration& task) : task_(task) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = task_.inputs(batch);
    const Device device = device_of(task_.model());
    const Tensor real = inputs.features.on(device);
    const Tensor generated = task_.model().network->generated_images(inputs.targets.on(device), mode);
    const ImageGeneration::Losses losses = task_.losses(real, generated, mode, 0);
    discriminator_.add(static_cast<double>(number_of(losses.discriminator)), static_cast<double>(batch.size()));
    generator_.add(static_cast<double>(number_of(losses.generator)), static_cast<double>(batch.size()));
    if (task_.features() == nullptr) return;
    count(inputs.features, real_);
    count(generated, generated_);
  }

  Scores scores() const override {
    Scores all = {{"loss", discriminator_.mean() + generator_.mean()},
                  {"discriminator_loss", discriminator_.mean()},
                  {"generator_loss", generator_.mean()}};
    if (real_ && real_->count() > 1) all.emplace_back("frechet_distance", frechet_distance(*real_, *generated_));
    return all;
  }

 private:
  void count(const Tensor& pixels, std::optional<FeatureStatistics>& statistics) {
    const std::vector<float> rows = task_.features()->features(pictures_of(pixels, task_.processor()));
    if (!statistics) statistics.emplace(static_cast<int64_t>(rows.size()) / pixels.dim(0));
    statistics->add(rows);
  }

  const ImageGeneration& task_;
  MeanLoss discriminator_, generator_;
  std::optional<FeatureStatistics> real_, generated_;
};

}  // namespace

std::shared_ptr<const FeatureModel> FeatureModel::load(const std::filesystem::path& folder, Device device) {
  FeatureModel out;
  out.model = models::load_model(folder, {.head = models::Head::image_classification, .device = device});
  if (!out.model.initialized.empty()) {
    throw UserError(folder.string(), "expected a trained classifier of pictures, missing " +
                                         out.model.initialized.front() + "; train it first");
  }
  out.processor = ImageProcessor::read(folder / "preprocessor_config.json");
  return std::make_shared<const FeatureModel>(std::move(out));
}

std::vector<float> FeatureModel::features(std::span<const Image> pictures) const {
  std::vector<float> all;
  int64_t height = 0, width = 0;
  for (const Image& picture : pictures) {
    const Image image = processor.resized(with_channels(picture, processor.channels()));
    std::vector<float> values(image.values.size());
    processor.pixel_values(image, values);
    const std::vector<float> rows = channels_last(values, image.channels);
    all.insert(all.end(), rows.begin(), rows.end());
    height = image.height;
    width = image.width;
  }
  const NoGradient guard;
  const Tensor pixels =
      numbers(all).reshape({static_cast<int64_t>(pictures.size()), height, width, processor.channels()});
  return host_values(model.network->image_features(pixels.on(device_of(model)), {.training = false}));
}

Tensor latent_numbers(uint64_t seed, int64_t count, int64_t size) {
  RandomGenerator random({seed, 0, kSampleSite});
  std::vector<float> values(static_cast<size_t>(count * size));
  for (float& value : values) value = static_cast<float>(random.next_normal());
  return numbers(values).reshape({count, size});
}

std::vector<Image> generated_pictures(const models::Model& model, const ImageProcessor& processor, const Tensor& latent,
                                      const nn::Mode& mode) {
  const NoGradient guard;
  return pictures_of(model.network->generated_images(latent.on(device_of(model)), mode), processor);
}

ImageGeneration::ImageGeneration(const models::Model& model, ImageProcessor processor, uint64_t seed,
                                 std::shared_ptr<const FeatureModel> features)
    : model_(model), input_{std::move(processor), {}}, seed_(seed), features_(std::move(features)) {
  const models::DcganConfig config = models::dcgan_config(model.config().json, "config.json");
  latent_size_ = config.latent_size;
  const ImageProcessor& p = input_.processor;
  if (p.output_size(1, 1) != std::pair(config.image_size, config.image_size) || p.channels() != config.channels) {
    throw UserError(
        "preprocessor_config.json",
        concat("expected pictures of ", config.image_size, " x ", config.image_size, " pixels and ", config.channels,
               " channels, as config.json says, got ", p.height, " x ", p.width, " and ", p.channels()));
  }
}

EncodedExample ImageGeneration::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected pictures, got texts");
}

EncodedExample ImageGeneration::draw(const EncodedExample& row, int64_t epoch) const {
  const ClassifiedInput input = classified_input(sets_.of(row), row.row, input_, {});
  EncodedExample out = row;
  out.features = channels_last(input.pixel_values, input.channels);
  RandomGenerator random({seed_, static_cast<uint32_t>(epoch), kLatentSite}, static_cast<uint64_t>(row.row)
                                                                                 << kLatentBits);
  out.targets.clear();
  for (int64_t i = 0; i < latent_size_; ++i) out.targets.push_back(static_cast<float>(random.next_normal()));
  return out;
}

EncodedExample ImageGeneration::scored(const EncodedExample& row) const { return draw(row, kScoredEpoch); }

LossInputs ImageGeneration::inputs(const Batch& batch) const {
  const auto [height, width] = input_.processor.output_size(1, 1);
  LossInputs inputs;
  inputs.features = numbers(batch.features).reshape({batch.size(), height, width, input_.processor.channels()});
  inputs.targets = numbers(batch.targets).reshape({batch.size(), latent_size_});
  return inputs;
}

ImageGeneration::Losses ImageGeneration::losses(const Tensor& real, const Tensor& generated, const nn::Mode& mode,
                                                double normalizer) const {
  const models::Network& network = *model_.network;
  const Tensor none = Tensor::zeros({real.dim(0)}, DType::f32, real.device());
  // bce_with_logits(x, 0) is log(1 + exp(x)); of -x it is the cost of a picture that shall count as real.
  const auto as_real = [&](const Tensor& x) { return ops::bce_with_logits(ops::scale(x, -1), none, normalizer); };
  const Tensor of_real = as_real(network.realness_logits(real, mode, false));
  const Tensor of_generated =
      ops::bce_with_logits(network.realness_logits(detach(generated), mode, false), none, normalizer);
  return {ops::add(of_real, of_generated), as_real(network.realness_logits(generated, mode, true))};
}

Tensor ImageGeneration::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  const Device device = device_of(model_);
  const Tensor generated = model_.network->generated_images(inputs.targets.on(device), mode);
  const Losses parts = losses(inputs.features.on(device), generated, mode, normalizer);
  return ops::add(parts.discriminator, parts.generator);
}

std::unique_ptr<Scorer> ImageGeneration::scorer(bool) const { return std::make_unique<GenerationScorer>(*this); }

}  // namespace suanli
