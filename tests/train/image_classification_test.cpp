// Runs over pictures from files to files: they learn, resume to the same bits, and bad pictures are named or counted.
#include "train/image_classification.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "expect_error.h"
#include "formats/safetensors.h"
#include "image/png.h"
#include "quiet_run.h"
#include "tiny_run.h"

namespace suanli {
namespace {

/// Noise with a bright bar: upright in "upright", lying in "lying".
Image barred(bool upright, RandomGenerator& random) {
  Image image(28, 28, 1);
  const auto at = static_cast<int64_t>(4 + random.below(20));
  for (int64_t y = 0; y < 28; ++y) {
    for (int64_t x = 0; x < 28; ++x) {
      const bool bar = (upright ? x : y) / 2 == at / 2;
      *image.at(y, x) = static_cast<uint8_t>((bar ? 150 : 20) + random.below(80));
    }
  }
  return image;
}

class ImageRun : public testing::Test {
 protected:
  ImageRun() : folder_(fresh_folder("images")) {
    write_folder("train", 80, 1);
    write_folder("test", 40, 2);
    write_file_atomically(folder_ / "config.json",
                          R"({"model_type": "lenet", "num_channels": 1, "image_size": 28, "num_labels": 2})");
  }
  void write_folder(const std::string& name, int pictures, uint32_t site) const {
    RandomGenerator random({3, 0, site});
    for (const char* kind : {"lying", "upright"}) std::filesystem::create_directories(folder_ / name / kind);
    for (int i = 0; i < pictures; ++i) {
      const bool upright = i % 2 == 1;
      write_png(folder_ / name / (upright ? "upright" : "lying") / (std::to_string(i) + ".png"),
                barred(upright, random));
    }
  }
  std::vector<std::string> training(const std::string& out, std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"task=image-classification", "config_name=" + (folder_ / "config.json").string(),
                 "train_file=" + (folder_ / "train").string(), "validation_file=" + (folder_ / "test").string(),
                 "output_dir=" + (folder_ / out).string(), "num_train_epochs=3", "learning_rate=3e-3",
                 "per_device_train_batch_size=8", "per_device_eval_batch_size=16", "crop_padding=2", "erasing=0.1",
                 "save_strategy=no", "precision=f32", "seed=5"});
    return more;
  }
  Json results(const std::string& name) const { return read_json(folder_ / name); }

  const std::filesystem::path folder_;
};

TEST_F(ImageRun, LearnsFromAugmentedPicturesAndTheSavedModelScoresTheSame) {
  ASSERT_EQ(quiet_run(training("out", {"num_train_epochs=5"})), 0);
  const Json trained = results("out/eval_results.json");
  EXPECT_GT(trained["eval_accuracy"].get<double>(), 0.9);
  const Json processor = results("out/preprocessor_config.json");
  // Of the training pictures: a fourteenth is the bar (150 to 229), the rest 20 to 99.
  EXPECT_NEAR(processor["image_mean"][0].get<double>(), (59.5 + 130.0 / 14) / 255, 0.01);
  ASSERT_EQ(quiet_run({"model_name_or_path=" + (folder_ / "out").string(), "output_dir=" + (folder_ / "again").string(),
                       "validation_file=" + (folder_ / "test").string(), "precision=f32"},
                      run_evaluation),
            0);
  const Json again = results("again/eval_results.json");
  for (const char* key : {"eval_loss", "eval_accuracy"}) {
    EXPECT_NEAR(again[key].get<double>(), trained[key].get<double>(), 1e-5) << key;
  }
}

TEST_F(ImageRun, AResumedRunWithOtherWorkersEndsAtTheSameBits) {
  ASSERT_EQ(quiet_run(training("cut",
                               {"max_steps=13", "lr_scheduler_type=constant", "save_strategy=steps", "save_steps=13"})),
            0);
  ASSERT_EQ(quiet_run(training("whole", {"lr_scheduler_type=constant", "dataloader_num_workers=0"})), 0);
  ASSERT_EQ(quiet_run(training("cut", {"lr_scheduler_type=constant", "dataloader_num_workers=3",
                                       "resume_from_checkpoint=" + (folder_ / "cut/checkpoint-13").string()})),
            0);
  EXPECT_EQ(read_file(folder_ / "whole/model.safetensors"), read_file(folder_ / "cut/model.safetensors"));
}

// Two pictures of one grey each: every pixel of a mixed one tells the share that its target must have.
TEST_F(ImageRun, MixedPicturesHaveTheTargetsOfTheirPixels) {
  initialize();
  const models::Model model = models::new_model(
      read_json(folder_ / "config.json"), {.head = models::Head::image_classification, .labels = {"black", "white"}});
  ImageProcessor processor;
  processor.do_resize = true;
  processor.height = processor.width = 28;
  processor.image_mean = {0};
  processor.image_std = {1};
  AugmentOptions still = {.hsv_h = 0, .hsv_s = 0, .hsv_v = 0, .scale = 0, .erasing = 0};
  for (const bool cut : {false, true}) {
    AugmentOptions augment = still;
    (cut ? augment.cutmix : augment.mixup) = 1;
    augment.mixup_alpha = 1;
    ImageClassification task(model, processor, {.augment = augment, .label_smoothing = 0.1});
    std::vector<ImageExample> pictures;
    for (int32_t label : {0, 1, 1, 0}) {
      const auto file = folder_ / (std::to_string(pictures.size()) + ".png");
      write_png(file, Image(28, 28, 1, label == 0 ? 0 : 255));
      pictures.push_back({.file = file, .label = label});
    }
    const std::vector<EncodedExample> rows = task.add(pictures);
    int mixed = 0;
    for (int64_t epoch = 0; epoch < 8; ++epoch) {
      for (const EncodedExample& row : rows) {
        const EncodedExample drawn = task.draw(row, epoch);
        EXPECT_EQ(drawn.features, task.draw(row, epoch).features);
        double white = 0;
        for (const float value : drawn.features) white += static_cast<double>(value) / 784;
        const LossInputs inputs = task.inputs(pack({&drawn, 1}));
        ASSERT_FALSE(inputs.labels.defined());
        const auto shares = inputs.targets.host<float>();
        ASSERT_EQ(shares.size(), 2U);
        // Eight bits a pixel: half of 1/255.
        EXPECT_NEAR(static_cast<double>(shares[1]), 0.9 * white + 0.05, 0.9 / 510 + 1e-6) << "cut " << cut;
        EXPECT_NEAR(shares[0] + shares[1], 1, 1e-6);
        mixed += shares[1] > 0.06F && shares[1] < 0.94F ? 1 : 0;
      }
    }
    EXPECT_GT(mixed, 6);
    EXPECT_TRUE(task.inputs(pack(std::vector{task.scored(rows[0])})).labels.defined());
  }
}

TEST_F(ImageRun, AMixingRunLearnsAndResumesToTheSameBits) {
  const std::vector<std::string> mixing = {"mixup=0.5", "cutmix=0.5", "label_smoothing_factor=0.1",
                                           "lr_scheduler_type=constant", "num_train_epochs=5"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), mixing.begin(), mixing.end());
    return more;
  };
  ASSERT_EQ(quiet_run(training("whole", mixing)), 0);
  EXPECT_GT(results("whole/eval_results.json")["eval_accuracy"].get<double>(), 0.85);
  ASSERT_EQ(quiet_run(training("cut", with({"max_steps=13", "save_strategy=steps", "save_steps=13"}))), 0);
  ASSERT_EQ(quiet_run(training("cut", with({"resume_from_checkpoint=" + (folder_ / "cut/checkpoint-13").string()}))),
            0);
  EXPECT_EQ(read_file(folder_ / "whole/model.safetensors"), read_file(folder_ / "cut/model.safetensors"));
}

TEST_F(ImageRun, ClassesOfAnotherFolderAreFoundByName) {
  std::filesystem::remove_all(folder_ / "test/lying");  // "upright" would be class 0 of this folder by itself
  ASSERT_EQ(quiet_run(training("out", {"num_train_epochs=5"})), 0);
  EXPECT_GT(results("out/eval_results.json")["eval_accuracy"].get<double>(), 0.8);
  std::filesystem::rename(folder_ / "test/upright", folder_ / "test/uprigt");
  const std::string message = error_of([&] { quiet_run(training("out")); });
  EXPECT_NE(message.find("uprigt"), std::string::npos);
  EXPECT_NE(message.find("upright"), std::string::npos) << message;
}

TEST_F(ImageRun, ABrokenPictureIsNamedOrLeftOutAndCounted) {
  const auto broken = folder_ / "train/lying/0.png";
  write_file_atomically(broken, read_file(broken).substr(0, 60));
  EXPECT_NE(error_of([&] { quiet_run(training("out")); }).find("lying/0.png"), std::string::npos);
  ASSERT_EQ(quiet_run(training("out", {"on_bad_row=skip", "num_train_epochs=1"})), 0);
  EXPECT_EQ(results("out/train_results.json")["train_samples"], 79);
}

TEST_F(ImageRun, WhatCannotBeIsRefused) {
  const auto refusal = [&](const std::string& word) { return error_of([&] { quiet_run(training("out", {word})); }); };
  EXPECT_NE(refusal("cutmix=1.5").find("cutmix"), std::string::npos);
  EXPECT_NE(refusal("mixup_alpha=0").find("mixup_alpha"), std::string::npos);
  EXPECT_NE(refusal("cutmix_alpha=inf").find("cutmix_alpha"), std::string::npos);
  EXPECT_NE(refusal("replay=" + (folder_ / "train").string()).find("replay"), std::string::npos);
  EXPECT_NE(refusal("loss=dice").find("loss"), std::string::npos);
  EXPECT_NE(refusal("fliplr=1.5").find("fliplr"), std::string::npos);
  EXPECT_NE(refusal("train_file=" + (folder_ / "none").string()).find("none"), std::string::npos);
  EXPECT_NE(refusal("task=text-classification").find("crop_padding"), std::string::npos);
}

}  // namespace
}  // namespace suanli
