// Runs that label pixels, from folders to scores: masks follow their pictures, what is bad is named.
#include "train/image_segmentation.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "expect_error.h"
#include "image/png.h"
#include "ops/loss.h"
#include "quiet_run.h"
#include "tiny_run.h"

namespace suanli {
namespace {

constexpr int64_t kSide = 32;

class MaskedRun : public testing::Test {
 protected:
  MaskedRun() : folder_(fresh_folder("masked")) {
    write_pictures("train", 24, 1);
    write_pictures("test", 8, 2);
    write_file_atomically(folder_ / "config.json", R"({"model_type": "unet", "num_channels": 1, "image_size": 32,
        "hidden_sizes": [6, 8], "id2label": {"0": "ground", "1": "thing"}})");
  }
  /// Two bright rectangles, the things 1 and 2, on dark ground.
  void write_pictures(const std::string& name, int count, uint32_t site) const {
    RandomGenerator random({7, 0, site});
    std::filesystem::create_directories(folder_ / name);
    for (int i = 0; i < count; ++i) {
      Image picture(kSide, kSide, 1), mask(kSide, kSide, 1, 0);
      for (uint8_t& value : picture.values) value = static_cast<uint8_t>(20 + random.below(60));
      for (uint8_t thing = 1; thing <= 2; ++thing) {
        const auto top = static_cast<int64_t>(random.below(20)), left = static_cast<int64_t>(random.below(20));
        for (int64_t y = top; y < top + 10; ++y) {
          for (int64_t x = left; x < left + 8; ++x) {
            *picture.at(y, x) = static_cast<uint8_t>(170 + random.below(60));
            *mask.at(y, x) = thing;
          }
        }
      }
      write_png(folder_ / name / (std::to_string(i) + ".png"), picture);
      write_png(folder_ / name / (std::to_string(i) + "_mask.png"), mask);
    }
  }
  std::vector<std::string> training(std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"task=image-segmentation", "config_name=" + (folder_ / "config.json").string(),
                 "train_file=" + (folder_ / "train").string(), "validation_file=" + (folder_ / "test").string(),
                 "output_dir=" + (folder_ / "out").string(), "instance_masks=true", "mosaic=0", "degrees=20",
                 "hsv_v=0.1", "num_train_epochs=12", "learning_rate=1e-2", "per_device_train_batch_size=4",
                 "save_strategy=no", "precision=f32", "seed=5"});
    return more;
  }

  const std::filesystem::path folder_;
};

TEST_F(MaskedRun, LearnsAndTheSavedModelScoresTheSame) {
  ASSERT_EQ(quiet_run(training()), 0);
  const Json trained = read_json(folder_ / "out/eval_results.json");
  EXPECT_GT(trained["eval_mean_iou_foreground"].get<double>(), 0.85);
  EXPECT_GT(trained["eval_mean_iou"].get<double>(), trained["eval_mean_iou_foreground"].get<double>());
  ASSERT_EQ(quiet_run({"model_name_or_path=" + (folder_ / "out").string(), "instance_masks=true", "precision=f32",
                       "output_dir=" + (folder_ / "again").string(), "validation_file=" + (folder_ / "test").string()},
                      run_evaluation),
            0);
  const Json again = read_json(folder_ / "again/eval_results.json");
  for (const char* key : {"eval_loss", "eval_mean_iou"}) {
    EXPECT_NEAR(again[key].get<double>(), trained[key].get<double>(), 1e-5) << key;
  }
}

TEST_F(MaskedRun, MasksMoveWithTheirPictures) {
  initialize();
  const models::Model model =
      models::new_model(read_json(folder_ / "config.json"), {.head = models::Head::semantic_segmentation});
  ImageProcessor processor;
  processor.height = processor.width = kSide;
  processor.image_mean = processor.image_std = {0.5};
  AugmentOptions augment;
  augment.mosaic = 0.5;
  augment.degrees = 30;
  augment.flipud = 0.5;
  augment.hsv_v = 0;
  ImageSegmentation task(model, processor, {.augment = augment, .instance_masks = true});
  const std::vector<EncodedExample> rows = task.add(read_masked_images(folder_ / "train").examples);
  int64_t agreed = 0, things = 0, pixels = 0;
  for (const EncodedExample& row : rows) {
    const EncodedExample drawn = task.draw(row, 3);
    ASSERT_EQ(drawn.features.size(), drawn.targets.size());
    for (size_t i = 0; i < drawn.targets.size(); ++i) {
      agreed += (drawn.features[i] > 0) == (drawn.targets[i] == 1) ? 1 : 0;  // 0: the middle grey
      things += drawn.targets[i] == 1 ? 1 : 0;
    }
    pixels += static_cast<int64_t>(drawn.targets.size());
  }
  EXPECT_GT(things, pixels / 20);
  // Pictures are interpolated and masks are not: only pixels on an edge may differ.
  EXPECT_GT(static_cast<double>(agreed), 0.95 * static_cast<double>(pixels));
}

TEST_F(MaskedRun, LearnsByTheDiceLossAlone) {
  ASSERT_EQ(quiet_run(training({"loss=dice"})), 0);
  const Json trained = read_json(folder_ / "out/eval_results.json");
  EXPECT_GT(trained["eval_mean_iou_foreground"].get<double>(), 0.85);
  EXPECT_LT(trained["eval_loss"].get<double>(), 0.15);  // 1 - Dice
}

// Each loss is the one of its formula, and the third the sum of the others.
TEST_F(MaskedRun, LossesAreThoseThatTheyAreCalled) {
  initialize();
  const models::Model model =
      models::new_model(read_json(folder_ / "config.json"), {.head = models::Head::semantic_segmentation});
  ImageProcessor processor;
  processor.height = processor.width = kSide;
  processor.image_mean = processor.image_std = {0.5};
  std::vector<float> losses;
  for (const auto loss :
       {SegmentationLoss::cross_entropy, SegmentationLoss::dice, SegmentationLoss::cross_entropy_dice}) {
    ImageSegmentation task(model, processor, {.instance_masks = true, .loss = loss});
    const std::vector<EncodedExample> rows = task.add(read_masked_images(folder_ / "test").examples);
    const Batch batch = pack(std::vector{task.scored(rows[0]), task.scored(rows[1])});
    const LossInputs inputs = task.inputs(batch);
    const Tensor value = task.loss(inputs, {}, static_cast<double>(task.items(batch)));
    losses.push_back(value.host<float>()[0]);
    const Tensor logits = task.logits(inputs, {});
    const Tensor expected = loss == SegmentationLoss::dice ? ops::dice_loss(logits, inputs.labels, 2)
                                                           : ops::cross_entropy(logits, inputs.labels);
    if (loss != SegmentationLoss::cross_entropy_dice) {
      EXPECT_NEAR(losses.back(), expected.host<float>()[0], 1e-6);
    }
  }
  EXPECT_NEAR(losses[2], losses[0] + losses[1], 1e-6);
}

TEST_F(MaskedRun, WhatCannotBeIsRefused) {
  const auto refusal = [&](const std::vector<std::string>& words) {
    return error_of([&] { quiet_run(training(words)); });
  };
  EXPECT_NE(refusal({"instance_masks=false"}).find("expected classes 0 to 1"), std::string::npos);
  EXPECT_NE(refusal({"loss=triplet"}).find("cross_entropy_dice"), std::string::npos);
  EXPECT_NE(refusal({"cutmix=1"}).find("cutmix"), std::string::npos);
  EXPECT_NE(refusal({"image_size=31"}).find("multiples of 2"), std::string::npos);
  EXPECT_NE(refusal({"translate=2"}).find("translate"), std::string::npos);
  std::filesystem::rename(folder_ / "train/3_mask.png", folder_ / "train/40_mask.png");
  EXPECT_NE(refusal({}).find("train/3.png"), std::string::npos);
  std::filesystem::remove(folder_ / "train/3.png");
  EXPECT_NE(refusal({}).find("train/40_mask.png"), std::string::npos);
}

// 2 of 3 pixels of class 0 are found and one of class 1 is called 0: 2 / (3 + 1); class 1: 1 / (2 + 1); no pixel of 2.
TEST(PixelScores, AreThoseOfTheDefinition) {
  PixelScores scores(3);
  scores.add(std::vector<int32_t>{0, 0, 0, 1, 1, kIgnoredLabel}, std::vector<int32_t>{0, 0, 1, 1, 0, 2});
  EXPECT_DOUBLE_EQ(scores.iou()[0], 0.5);
  EXPECT_DOUBLE_EQ(scores.iou()[1], 1.0 / 3);
  EXPECT_TRUE(std::isnan(scores.iou()[2]));
  const Scores all = scores.scores();
  EXPECT_DOUBLE_EQ(*find_score(all, "mean_iou"), (0.5 + 1.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(*find_score(all, "mean_iou_foreground"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(*find_score(all, "accuracy"), 0.6);
}

}  // namespace
}  // namespace suanli
