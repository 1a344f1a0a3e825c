// A generator and a discriminator: against PyTorch, whole runs, resume to the same bits, what is refused.
#include "train/image_generation.h"

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "base/file.h"
#include "expect_error.h"
#include "image/png.h"
#include "models/axes.h"
#include "models/golden.h"
#include "quiet_run.h"
#include "tiny_run.h"

namespace suanli {
namespace {

// f32 sums of at most 128 terms in another order through three layers, and batch norms over as few as 48 numbers.
constexpr double kTolerance = 2e-5;

std::filesystem::path golden_folder() { return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/dcgan"; }

ImageProcessor processor_for(int64_t side) {
  ImageProcessor processor;
  processor.height = processor.width = side;
  processor.image_mean = processor.image_std = {0.5};
  return processor;
}

TEST(Dcgan, MakesThePicturesOfPyTorch) {
  initialize();
  const SafetensorsFile file = SafetensorsFile::open(golden_folder() / "golden.safetensors");
  const models::Model model = models::load_model(golden_folder(), {.head = models::Head::image_generation});
  const Tensor made = model.network->generated_images(file.tensor("latent"), {});
  EXPECT_LT(models::relative_distance(made, file.tensor("eval_generated")), kTolerance);
  const Tensor logits = model.network->realness_logits(file.tensor("real"), {}, false);
  EXPECT_LT(models::relative_distance(logits, file.tensor("eval_real_logits")), kTolerance);
}

// Neither network's loss reaches the other's weights: each gradient is the one that PyTorch has of its own loss alone.
TEST(Dcgan, EachNetworkLearnsByItsOwnLossAsInPyTorch) {
  initialize();
  const SafetensorsFile file = SafetensorsFile::open(golden_folder() / "golden.safetensors");
  const models::Model model =
      models::load_model(golden_folder(), {.head = models::Head::image_generation, .trainable = true});
  const ImageGeneration task(model, processor_for(16), 1, nullptr);
  const nn::Mode mode = {.training = true};
  const Tensor generated = model.network->generated_images(file.tensor("latent"), mode);
  EXPECT_LT(models::relative_distance(generated, file.tensor("generated")), kTolerance);
  const ImageGeneration::Losses losses = task.losses(file.tensor("real"), generated, mode, 0);
  EXPECT_LT(models::relative_distance(losses.discriminator, file.tensor("discriminator_loss")), kTolerance);
  EXPECT_LT(models::relative_distance(losses.generator, file.tensor("generator_loss")), kTolerance);
  backward(losses.discriminator);
  backward(losses.generator);
  size_t compared = 0;
  const auto stored = [&](const std::string& name, const Tensor& tensor) {
    const std::vector<int> axes = model.family->stored_names(name).axes;
    return axes.empty() ? tensor : models::permuted(tensor, models::inverse(axes));
  };
  for (const nn::Parameter& each : model.parameters->all()) {
    const Tensor ours = stored(each.name, gradient_of(each.value));
    EXPECT_LT(models::relative_distance(ours, file.tensor("grad/" + each.name)), 10 * kTolerance) << each.name;
    ++compared;
  }
  for (const nn::Parameter& each : model.parameters->buffers()) {
    EXPECT_LT(models::relative_distance(each.value, file.tensor("buffer/" + each.name)), kTolerance) << each.name;
    ++compared;
  }
  EXPECT_EQ(compared + 7, file.entries().size()) << "every gradient and buffer of the golden file has its tensor here";
}

/// Pictures of a bright square somewhere on dark ground, and a classifier of its quarter of the picture.
class GenerationRun : public testing::Test {
 protected:
  GenerationRun() : folder_(fresh_folder("generation")) {
    RandomGenerator random({5, 0, 1});
    for (int i = 0; i < 96; ++i) {
      Image picture(28, 28, 1, 20);
      const auto top = static_cast<int64_t>(random.below(16)), left = static_cast<int64_t>(random.below(16));
      for (int64_t y = top; y < top + 10; ++y) std::fill_n(picture.at(y, left), 10, uint8_t{230});
      const std::string kind = std::string(top < 8 ? "high" : "low") + (left < 8 ? "_left" : "_right");
      const std::filesystem::path part = folder_ / (i < 64 ? "train" : "test") / kind;
      std::filesystem::create_directories(part);
      write_png(part / (std::to_string(i) + ".png"), picture);
    }
    write_file_atomically(folder_ / "gan.json", R"({"model_type": "dcgan", "num_channels": 1, "image_size": 16,
        "latent_size": 8, "hidden_size": 8})");
    write_file_atomically(folder_ / "lenet.json", R"({"model_type": "lenet", "num_channels": 1, "image_size": 28})");
  }
  std::vector<std::string> training(const std::string& out, std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"task=image-generation", "config_name=" + (folder_ / "gan.json").string(),
                 "train_file=" + (folder_ / "train").string(), "validation_file=" + (folder_ / "test").string(),
                 "output_dir=" + (folder_ / out).string(), "num_train_epochs=4", "learning_rate=2e-3", "adam_beta1=0.5",
                 "max_grad_norm=0", "lr_scheduler_type=constant", "per_device_train_batch_size=16", "save_strategy=no",
                 "precision=f32", "seed=5"});
    return more;
  }
  double score(const std::string& out, const char* key) const {
    return read_json(folder_ / out / "eval_results.json")[key].get<double>();
  }

  const std::filesystem::path folder_;
};

TEST_F(GenerationRun, FeaturesOfPicturesComeNearerToThoseOfRealOnes) {
  ASSERT_EQ(quiet_run({"task=image-classification", "config_name=" + (folder_ / "lenet.json").string(),
                       "train_file=" + (folder_ / "train").string(), "output_dir=" + (folder_ / "lenet").string(),
                       "crop_padding=1", "fliplr=0", "erasing=0", "num_train_epochs=4", "learning_rate=3e-3",
                       "save_strategy=no", "precision=f32"}),
            0);
  const std::string features = "feature_model=" + (folder_ / "lenet").string();
  ASSERT_EQ(quiet_run(training("begin", {features, "max_steps=1"})), 0);
  ASSERT_EQ(quiet_run(training("out", {features, "num_train_epochs=30"})), 0);
  EXPECT_LT(score("out", "eval_frechet_distance"), 0.6 * score("begin", "eval_frechet_distance"));
  const Image samples = read_image(folder_ / "out/samples.png", {});
  EXPECT_EQ(samples.height, 8 * 16 + 7 * 2);
  EXPECT_NE(samples, read_image(folder_ / "begin/samples.png", {}));
  // The saved model scores the same and makes the same pictures.
  ASSERT_EQ(quiet_run({"model_name_or_path=" + (folder_ / "out").string(), features, "precision=f32",
                       "output_dir=" + (folder_ / "again").string(), "validation_file=" + (folder_ / "test").string(),
                       "seed=5"},
                      run_evaluation),
            0);
  EXPECT_NEAR(score("again", "eval_frechet_distance"), score("out", "eval_frechet_distance"),
              1e-4 * score("out", "eval_frechet_distance"));
}

TEST_F(GenerationRun, AResumedRunEndsAtTheSameBits) {
  ASSERT_EQ(quiet_run(training("whole", {"dataloader_num_workers=0"})), 0);
  ASSERT_EQ(quiet_run(training("cut", {"max_steps=7", "save_strategy=steps", "save_steps=7"})), 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "cut/checkpoint-7/samples.png"));
  ASSERT_EQ(quiet_run(training("cut", {"dataloader_num_workers=3",
                                       "resume_from_checkpoint=" + (folder_ / "cut/checkpoint-7").string()})),
            0);
  for (const char* file : {"model.safetensors", "samples.png"}) {
    EXPECT_EQ(read_file(folder_ / "whole" / file), read_file(folder_ / "cut" / file)) << file;
  }
}

TEST_F(GenerationRun, WhatCannotBeIsRefused) {
  const auto refusal = [&](const std::vector<std::string>& words) {
    return error_of([&] { quiet_run(training("out", words)); });
  };
  EXPECT_NE(refusal({"fliplr=0.5"}).find("fliplr"), std::string::npos);
  EXPECT_NE(refusal({"image_size=32"}).find("16 x 16"), std::string::npos);
  EXPECT_NE(refusal({"task=image-classification"}).find("image-generation"), std::string::npos);
  EXPECT_NE(refusal({"feature_model=" + folder_.string()}).find("config.json"), std::string::npos);
  const auto config = [&](const std::string& text) {
    write_file_atomically(folder_ / "gan.json", text);
    return refusal({});
  };
  EXPECT_NE(config(R"({"model_type": "dcgan", "num_channels": 1, "image_size": 28})").find("image_size"),
            std::string::npos);
  EXPECT_NE(config(R"({"model_type": "dcgan", "num_channels": 1, "image_size": 4})").find("image_size"),
            std::string::npos);
  EXPECT_NE(config(R"({"model_type": "dcgan", "num_channels": 2, "image_size": 16})").find("num_channels"),
            std::string::npos);
  EXPECT_NE(config(R"({"model_type": "dcgan", "num_channels": 1, "image_size": 16, "latent_size": 0})").find("latent"),
            std::string::npos);
  EXPECT_NE(config(R"({"model_type": "dcgan", "num_channels": 1, "image_size": 1024, "hidden_size": 4096})")
                .find("hidden_size"),
            std::string::npos);
}

}  // namespace
}  // namespace suanli
