// Runs that enlarge pictures, from folders to scores: crops fit the pictures they come from, tiles fit together.
#include "train/super_resolution.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "expect_error.h"
#include "image/geometry.h"
#include "image/png.h"
#include "image/resize.h"
#include "quiet_run.h"
#include "tiny_run.h"

namespace suanli {
namespace {

class EnlargingRun : public testing::Test {
 protected:
  EnlargingRun() : folder_(fresh_folder("enlarging")) {
    initialize();
    write_pictures("train", 4, 1);
    write_pictures("test", 2, 2);
    write_file_atomically(folder_ / "edsr.json", R"({"model_type": "edsr", "n_resblocks": 2, "n_feats": 16})");
    write_file_atomically(folder_ / "srcnn.json", R"({"model_type": "srcnn", "hidden_sizes": [8, 8]})");
  }
  /// Bright triangles with sharp edges, which bicubic resizing blurs.
  void write_pictures(const std::string& name, int count, uint32_t site) const {
    RandomGenerator random({7, 0, site});
    std::filesystem::create_directories(folder_ / name);
    for (int i = 0; i < count; ++i) {
      Image picture(72, 65, 3, 40);
      for (int t = 0; t < 6; ++t) {
        const auto top = static_cast<int64_t>(random.below(50)), left = static_cast<int64_t>(random.below(40));
        const auto slope = static_cast<int64_t>(1 + random.below(3));
        for (int64_t y = 0; y < 20; ++y) {
          for (int64_t x = 0; x * slope < y; ++x) {
            for (int64_t c = 0; c < 3; ++c) picture.at(top + y, left + x)[c] = static_cast<uint8_t>(120 + 40 * c + t);
          }
        }
      }
      write_png(folder_ / name / (std::to_string(i) + ".png"), picture);
    }
  }
  std::vector<std::string> training(const std::string& config, std::vector<std::string> more = {}) const {
    more.insert(
        more.begin(),
        {"task=image-super-resolution", "config_name=" + (folder_ / config).string(),
         "train_file=" + (folder_ / "train").string(), "validation_file=" + (folder_ / "test").string(),
         "output_dir=" + (folder_ / "out").string(), "image_size=12", "scale=0", "max_steps=500", "learning_rate=5e-3",
         "lr_scheduler_type=cosine", "per_device_train_batch_size=8", "save_strategy=no", "precision=f32", "seed=5"});
    return more;
  }
  models::Model model(const std::string& config) const {
    return models::new_model(read_json(folder_ / config),
                             {.head = models::Head::image_super_resolution, .seed = 3, .device = test_device()});
  }

  const std::filesystem::path folder_;
};

TEST_F(EnlargingRun, LearnsWhatBicubicCannotAndTheSavedModelScoresTheSame) {
  ASSERT_EQ(quiet_run(training("edsr.json")), 0);
  const Json trained = read_json(folder_ / "out/eval_results.json");
  EXPECT_GT(trained["eval_psnr"].get<double>(), trained["eval_bicubic_psnr"].get<double>() + 2);
  EXPECT_GT(trained["eval_ssim"].get<double>(), trained["eval_bicubic_ssim"].get<double>());
  ASSERT_EQ(quiet_run({"model_name_or_path=" + (folder_ / "out").string(), "precision=f32",
                       "output_dir=" + (folder_ / "again").string(), "validation_file=" + (folder_ / "test").string()},
                      run_evaluation),
            0);
  const Json again = read_json(folder_ / "again/eval_results.json");
  for (const char* key : {"eval_loss", "eval_psnr", "eval_ssim"}) {
    EXPECT_NEAR(again[key].get<double>(), trained[key].get<double>(), 1e-3) << key;
  }
}

TEST_F(EnlargingRun, SrcnnSharpensWhatBicubicEnlarges) {
  ASSERT_EQ(quiet_run(training("srcnn.json", {"max_steps=400", "learning_rate=3e-3", "lr_scheduler_type=linear"})), 0);
  const Json trained = read_json(folder_ / "out/eval_results.json");
  EXPECT_GT(trained["eval_psnr"].get<double>(), trained["eval_bicubic_psnr"].get<double>() + 0.3);
}

// Cut from a picture whose sides are multiples of the factor: pixels of the crop are those of the whole made small.
TEST_F(EnlargingRun, CropsAreThoseOfTheWholePictureMadeSmall) {
  const models::Model edsr = model("edsr.json");
  const Image whole = window(read_image(folder_ / "train/0.png"), 0, 0, 72, 64);
  std::filesystem::create_directories(folder_ / "one");
  write_png(folder_ / "one/0.png", whole);
  SuperResolution task(edsr, {.crop_size = 12, .augment = {.scale = 0, .fliplr = 0}, .seed = 9});
  const std::vector<EncodedExample> rows = task.add(read_image_folder(folder_ / "one").examples, true);
  ASSERT_EQ(rows.size(), 72u * 64 / (24 * 24));
  const Image small = resize(whole, 36, 32, Resample::bicubic);
  int found = 0;
  for (int64_t epoch = 0; epoch < 160; ++epoch) {
    const EncodedExample drawn = task.draw(rows[0], epoch);
    ASSERT_EQ(drawn.features.size(), 12u * 12 * 3);
    ASSERT_EQ(drawn.targets.size(), 24u * 24 * 3);
    for (int64_t top = 0; top <= 24; ++top) {
      for (int64_t left = 0; left <= 20; ++left) {
        const Image part = window(small, top, left, 12, 12);
        bool equal = true;
        for (size_t i = 0; equal && i < part.values.size(); ++i) {
          equal = drawn.features[i] == static_cast<float>(part.values[i]) / 255;
        }
        const Image large = window(whole, 2 * top, 2 * left, 24, 24);
        for (size_t i = 0; equal && i < large.values.size(); ++i) {
          equal = drawn.targets[i] == static_cast<float>(large.values[i]) / 255;
        }
        found += equal ? 1 : 0;
      }
    }
  }
  EXPECT_GE(found, 25);  // one in four crops begins at even places
}

TEST_F(EnlargingRun, DrawsAreCountedAndDiffer) {
  const models::Model edsr = model("edsr.json");
  SuperResolution task(edsr, {.crop_size = 12, .augment = {.scale = 0.5, .flipud = 0.5}, .seed = 9});
  const std::vector<EncodedExample> rows = task.add(read_image_folder(folder_ / "train").examples, true);
  EXPECT_EQ(task.draw(rows[1], 2).features, task.draw(rows[1], 2).features);
  EXPECT_NE(task.draw(rows[1], 2).features, task.draw(rows[1], 3).features);
  EXPECT_NE(task.draw(rows[1], 2).features, task.draw(rows[2], 2).features);
}

TEST_F(EnlargingRun, TilesFitTogether) {
  const Image small = read_image(folder_ / "test/0.png");
  for (const char* config : {"edsr.json", "srcnn.json"}) {
    const models::Model enlarging = model(config);
    const SuperResolution task(enlarging, {});
    const Image whole = task.enlarge(small, {}), tiled = task.enlarge(small, {}, 16);
    ASSERT_EQ(whole.height, 2 * small.height);
    ASSERT_EQ(whole.values.size(), tiled.values.size());
    for (size_t i = 0; i < whole.values.size(); ++i) {
      ASSERT_NEAR(whole.values[i], tiled.values[i], 1) << config << " value " << i;
    }
  }
}

TEST_F(EnlargingRun, WhatCannotBeIsRefused) {
  const auto refusal = [&](const std::vector<std::string>& words) {
    return error_of([&] { quiet_run(training("edsr.json", words)); });
  };
  EXPECT_NE(refusal({"image_size=60"}).find(".png"), std::string::npos);
  EXPECT_NE(refusal({"task=image-segmentation"}).find("train/0.png"), std::string::npos);
  EXPECT_NE(refusal({"precision=int8"}).find("int8"), std::string::npos);
  std::filesystem::create_directories(folder_ / "tiny");
  write_png(folder_ / "tiny/0.png", Image(14, 40, 3));
  EXPECT_NE(refusal({"validation_file=" + (folder_ / "tiny").string()}).find("tiny/0.png"), std::string::npos);
}

TEST(EnlargementScores, AreMeansOverPictures) {
  EnlargementScores scores;
  const Image truth(13, 13, 1, 100);
  scores.add(truth, Image(13, 13, 1, 110), Image(13, 13, 1, 101), 1);
  scores.add(truth, Image(13, 13, 1, 101), Image(13, 13, 1, 101), 1);
  const double one = 20 * std::log10(255.0), ten = 20 * std::log10(25.5);
  EXPECT_NEAR(*find_score(scores.scores(), "psnr"), (one + ten) / 2, 1e-9);
  EXPECT_NEAR(*find_score(scores.scores(), "bicubic_psnr"), one, 1e-9);
  EXPECT_LT(*find_score(scores.scores(), "ssim"), *find_score(scores.scores(), "bicubic_ssim"));
}

}  // namespace
}  // namespace suanli
