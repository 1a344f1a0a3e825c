// Runs that find key points, from a folder of YOLO's to scores; peaks of heat maps; what is not labelled counts for
// nothing.
#include "train/key_points.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "autograd/tape.h"
#include "base/file.h"
#include "expect_error.h"
#include "image/png.h"
#include "quiet_run.h"
#include "tiny_run.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

constexpr int64_t kSide = 64;

class CornersRun : public testing::Test {
 protected:
  CornersRun() : folder_(fresh_folder("corners")) {
    initialize();
    write_pictures("train", 96, 1);
    write_pictures("val", 24, 2);
    write_file_atomically(folder_ / "data.yaml",
                          "path: " + folder_.string() +
                              "\ntrain: images/train\nval: images/val\nnames: [triangle]\nkpt_shape: [3, 3]\n"
                              "flip_idx: [0, 2, 1]\n");
    write_file_atomically(
        folder_ / "config.json",
        R"({"model_type": "heatmap", "num_channels": 1, "image_size": 64, "hidden_sizes": [16, 24]})");
  }
  /// Bright triangles on noise, with the labels of YOLO's pose and the same as a json of COCO: the upper corner, the
  /// left and the right one.
  void write_pictures(const std::string& part, int count, uint32_t site) const {
    std::filesystem::create_directories(folder_ / "images" / part);
    std::filesystem::create_directories(folder_ / "labels" / part);
    Json coco;
    coco["categories"].push_back({{"id", 7}, {"name", "triangle"}});
    RandomGenerator random({7, 0, site});
    const auto between = [&random](double from, double to) {
      return from + (to - from) * static_cast<double>(random.next_uniform());
    };
    for (int i = 0; i < count; ++i) {
      const double left = between(4, 16), right = between(44, 60), top = between(4, 20);
      const Point corners[] = {
          {between(left + 8, right - 8), top}, {left, between(top + 24, 60)}, {right, between(top + 24, 60)}};
      Mask inside(kSide, kSide, 1, 0);
      fill_polygons(std::vector<std::vector<Point>>{{corners[0], corners[1], corners[2]}}, 1, &inside);
      Image picture(kSide, kSide, 1);
      for (size_t p = 0; p < picture.values.size(); ++p) {
        picture.values[p] = static_cast<uint8_t>((inside.values[p] > 0 ? 170 : 50) + random.below(40));
      }
      const double bottom = std::max(corners[1].y, corners[2].y);
      std::ostringstream label;
      label << "0 " << (left + right) / 2 / kSide << ' ' << (top + bottom) / 2 / kSide << ' ' << (right - left) / kSide
            << ' ' << (bottom - top) / kSide;
      for (const Point& each : corners) label << ' ' << each.x / kSide << ' ' << each.y / kSide << " 2";
      coco["images"].push_back({{"id", i}, {"file_name", std::to_string(i) + ".png"}});
      Json points = Json::array();
      for (const Point& each : corners) points.insert(points.end(), {each.x, each.y, 2});
      coco["annotations"].push_back({{"image_id", i},
                                     {"category_id", 7},
                                     {"bbox", {left, top, right - left, bottom - top}},
                                     {"keypoints", points}});
      write_png(folder_ / "images" / part / (std::to_string(i) + ".png"), picture);
      write_file_atomically(folder_ / "labels" / part / (std::to_string(i) + ".txt"), label.str() + "\n");
    }
    std::filesystem::create_directories(folder_ / "images/annotations");
    write_file_atomically(folder_ / "images/annotations" / ("corners_" + part + ".json"), coco.dump());
  }
  std::vector<std::string> training(std::vector<std::string> more = {}) const {
    more.insert(
        more.begin(),
        {"task=keypoint-detection", "config_name=" + (folder_ / "config.json").string(),
         "train_file=" + (folder_ / "data.yaml").string(), "validation_file=" + (folder_ / "data.yaml").string(),
         "output_dir=" + (folder_ / "out").string(), "scale=0.2", "num_train_epochs=25", "learning_rate=1e-2",
         "lr_scheduler_type=cosine", "per_device_train_batch_size=8", "save_strategy=no", "precision=f32", "seed=5"});
    return more;
  }
  /// A task of random weights over the pictures of `part`, and its rows.
  struct Made {
    models::Model model;
    std::unique_ptr<KeyPoints> task;
    std::vector<EncodedExample> rows;
  };
  std::unique_ptr<Made> made(std::vector<ImageExample> pictures, AugmentOptions augment = {}) const {
    Json json = read_json(folder_ / "config.json");
    json["num_keypoints"] = 3;
    auto out = std::make_unique<Made>();
    out->model =
        models::new_model(json, {.head = models::Head::keypoint_detection, .trainable = true, .device = test_device()});
    ImageProcessor processor;
    processor.height = processor.width = kSide;
    processor.image_mean = processor.image_std = {0.5};
    out->task = std::make_unique<KeyPoints>(out->model, processor, KeyPointOptions{.augment = augment, .seed = 4});
    out->rows = out->task->add(std::move(pictures));
    return out;
  }

  const std::filesystem::path folder_;
};

TEST_F(CornersRun, FindsCornersAndTheSavedModelScoresTheSame) {
  ASSERT_EQ(quiet_run(training()), 0);
  const Json trained = read_json(folder_ / "out/eval_results.json");
  EXPECT_LT(trained["eval_mean_error"].get<double>(), 1.5);
  EXPECT_GT(trained["eval_pck"].get<double>(), 0.97);
  for (const char* file : {"data.yaml", "images/annotations/corners_val.json"}) {
    ASSERT_EQ(quiet_run({"model_name_or_path=" + (folder_ / "out").string(), "precision=f32",
                         "output_dir=" + (folder_ / "again").string(), "validation_file=" + (folder_ / file).string()},
                        run_evaluation),
              0);
    const Json again = read_json(folder_ / "again/eval_results.json");
    for (const char* key : {"eval_loss", "eval_mean_error", "eval_pck"}) {
      EXPECT_NEAR(again[key].get<double>(), trained[key].get<double>(), 1e-4) << file << ' ' << key;
    }
  }
}

TEST_F(CornersRun, KeyPointsMoveWithTheirPictures) {
  AugmentOptions augment;
  augment.degrees = 30;
  augment.scale = 0.3;
  augment.hsv_v = 0;
  augment.flip_idx = {0, 2, 1};
  const std::unique_ptr<Made> corners = made(read_yolo(folder_ / "data.yaml", "val").examples, augment);
  int64_t bright = 0, checked = 0, mirrored = 0;
  for (const EncodedExample& row : corners->rows) {
    const EncodedExample drawn = corners->task->draw(row, 1);
    const float* p = drawn.targets.data() + 2;
    if (p[2] == 0 || p[5] == 0 || p[8] == 0) continue;
    // The middle of the corners is inside the triangle: bright, wherever the picture was moved.
    const auto middle = [&](size_t axis) { return (p[axis] + p[3 + axis] + p[6 + axis]) / 3; };
    const auto x = static_cast<size_t>(middle(0)), y = static_cast<size_t>(middle(1));
    bright += drawn.features[y * kSide + x] > 0 ? 1 : 0;
    // flip_idx keeps the left corner left: the way around the corners never turns.
    const float turn = (p[3] - p[0]) * (p[7] - p[1]) - (p[4] - p[1]) * (p[6] - p[0]);
    mirrored += turn > 0 ? 1 : 0;
    ++checked;
  }
  EXPECT_GE(checked, 8);  // of others a corner was cut away
  EXPECT_EQ(bright, checked);
  EXPECT_EQ(mirrored, 0);
}

TEST_F(CornersRun, WhatIsNotLabelledCountsForNothing) {
  std::vector<ImageExample> pictures = read_yolo(folder_ / "data.yaml", "val").examples;
  pictures.resize(1);
  pictures[0].objects[0].key_points[1].visibility = 1;  // hidden, yet known
  pictures[0].objects[0].key_points[2].visibility = 0;
  const std::unique_ptr<Made> corners = made(std::move(pictures));
  const std::vector<EncodedExample> scored = {corners->task->scored(corners->rows[0])};
  const Batch batch = pack(scored);
  EXPECT_EQ(corners->task->items(batch), 2);
  const Tensor loss = corners->task->loss(corners->task->inputs(batch), {.training = true}, 2);
  backward(loss);
  for (const nn::Parameter& parameter : corners->model.parameters->all()) {
    if (parameter.name != "classifier.weight") continue;
    const std::vector<float> gradient = host_values(gradient_of(parameter.value));
    const size_t width = gradient.size() / 3;
    double sums[3] = {};
    for (size_t i = 0; i < gradient.size(); ++i) sums[i / width] += static_cast<double>(std::abs(gradient[i]));
    EXPECT_GT(sums[0], 0);
    EXPECT_GT(sums[1], 0);
    EXPECT_EQ(sums[2], 0);
  }
}

TEST_F(CornersRun, WhatCannotBeIsRefused) {
  const auto refusal = [&](const std::vector<std::string>& words) {
    return error_of([&] { quiet_run(training(words)); });
  };
  EXPECT_NE(refusal({"image_size=60"}).find("multiple of 8"), std::string::npos);
  EXPECT_NE(refusal({"train_file=" + (folder_ / "images").string()}).find("data.yaml"), std::string::npos);
  write_file_atomically(folder_ / "config.json",
                        R"({"model_type": "heatmap", "num_channels": 1, "image_size": 64, "num_keypoints": 4})");
  EXPECT_NE(refusal({}).find("expected 4 key points, got 3"), std::string::npos);
}

// The largest place is at most half a place from the point, and the shift leaves at most a quarter of it on each axis.
TEST(HeatMaps, PeaksLieWithinAPixelOfTheirPoints) {
  for (const Point& at : {Point{20.3, 31.9}, Point{8.0, 50.0}, Point{33.7, 12.2}, Point{46.5, 45.1}}) {
    std::vector<float> maps(16 * 16 * 2);
    draw_peak(at, 16, 16, 2, maps.data() + 1);
    const std::vector<HeatMapPeak> peaks = peaks_of(maps, 16, 16, 2);
    EXPECT_NEAR(peaks[1].at.x, at.x, 1.0001);
    EXPECT_NEAR(peaks[1].at.y, at.y, 1.0001);
    EXPECT_GT(peaks[1].score, 0.9);
    EXPECT_EQ(peaks[0].score, 0);
  }
}

TEST(HeatMaps, APeakMovesAQuarterOfAPlaceTowardsItsLargerNeighbour) {
  std::vector<float> map(5 * 5);
  map[2 * 5 + 3] = 1;
  map[2 * 5 + 4] = 0.5F;
  map[1 * 5 + 3] = 0.25F;
  const HeatMapPeak peak = peaks_of(map, 5, 5, 1).front();
  EXPECT_DOUBLE_EQ(peak.at.x, (3.5 + 0.25) * 4);
  EXPECT_DOUBLE_EQ(peak.at.y, (2.5 - 0.25) * 4);
  EXPECT_DOUBLE_EQ(peak.score, 1);
  map[4 * 5 + 4] = 2;  // at the border there is no pair of neighbours
  EXPECT_DOUBLE_EQ(peaks_of(map, 5, 5, 1).front().at.x, 4.5 * 4);
}

}  // namespace
}  // namespace suanli
