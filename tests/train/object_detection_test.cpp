// Runs that find objects, from folders to scores: boxes follow their pictures and lead back, what is bad is named.
#include "train/object_detection.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/parallel.h"
#include "expect_error.h"
#include "image/png.h"
#include "models/load.h"
#include "quiet_run.h"
#include "tiny_run.h"

namespace suanli {
namespace {

constexpr int64_t kSide = 64;

class BoxedRun : public testing::Test {
 protected:
  BoxedRun() : folder_(fresh_folder("boxed")) {
    write_pictures("train", 24, 1);
    write_pictures("test", 6, 2);
    write_file_atomically(folder_ / "config.json", R"({"model_type": "faster_rcnn", "image_size": 64,
        "returned_layers": [1, 2], "anchor_sizes": [12, 20, 40], "aspect_ratios": [1], "out_channels": 16,
        "representation_size": 32, "rpn_post_nms_top_n_train": 40, "rpn_post_nms_top_n_test": 40,
        "rpn_batch_size_per_image": 64, "box_batch_size_per_image": 32,
        "backbone_config": {"model_type": "resnet", "layer_type": "basic", "embedding_size": 8,
                            "hidden_sizes": [12, 16], "depths": [1, 1]}})");
  }
  /// A red and a blue square each on dark ground, wider than high; the last picture of a part shows nothing.
  void write_pictures(const std::string& part, int count, uint32_t site) const {
    RandomGenerator random({7, 0, site});
    std::filesystem::create_directories(folder_ / part / "Annotations");
    std::filesystem::create_directories(folder_ / part / "JPEGImages");
    for (int i = 0; i < count; ++i) {
      Image picture(48, kSide, 3);
      for (uint8_t& value : picture.values) value = static_cast<uint8_t>(20 + random.below(40));
      std::string objects;
      for (const int64_t channel : {0, 2}) {
        if (i == count - 1) break;
        const auto size = static_cast<int64_t>(12 + random.below(8));
        const auto top = static_cast<int64_t>(random.below(static_cast<uint64_t>(48 - size)));
        const auto left =
            (channel == 0 ? 0 : 32) + static_cast<int64_t>(random.below(static_cast<uint64_t>(32 - size)));
        for (int64_t y = top; y < top + size; ++y) {
          for (int64_t x = left; x < left + size; ++x) picture.at(y, x)[channel] = 220;
        }
        objects += object(channel == 0 ? "red" : "blue", left + 1, top + 1, left + size, top + size);
      }
      const std::string name = std::to_string(i);
      write_png(folder_ / part / "JPEGImages" / (name + ".png"), picture);
      write_annotation(part, name, objects);
    }
  }
  static std::string object(const std::string& name, int64_t xmin, int64_t ymin, int64_t xmax, int64_t ymax) {
    const auto number = [](const char* tag, int64_t value) {
      return std::string("<") + tag + ">" + std::to_string(value) + "</" + tag + ">";
    };
    return "<object><name>" + name + "</name><bndbox>" + number("xmin", xmin) + number("ymin", ymin) +
           number("xmax", xmax) + number("ymax", ymax) + "</bndbox></object>";
  }
  void write_annotation(const std::string& part, const std::string& name, const std::string& objects) const {
    write_file_atomically(folder_ / part / "Annotations" / (name + ".xml"),
                          "<annotation><filename>" + name + ".png</filename>" + objects + "</annotation>");
  }
  std::vector<std::string> training(std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"task=object-detection", "config_name=" + (folder_ / "config.json").string(),
                 "train_file=" + (folder_ / "train").string(), "validation_file=" + (folder_ / "test").string(),
                 "output_dir=" + (folder_ / "out").string(), "mosaic=0", "scale=0.1", "hsv_h=0", "hsv_s=0", "hsv_v=0.1",
                 "num_train_epochs=25", "learning_rate=5e-3", "per_device_train_batch_size=4", "save_strategy=no",
                 "precision=f32", "seed=5"});
    return more;
  }

  const std::filesystem::path folder_;
};

TEST_F(BoxedRun, LearnsAndTheSavedModelScoresTheSame) {
  ASSERT_EQ(quiet_run(training()), 0);
  const Json trained = read_json(folder_ / "out/eval_results.json");
  EXPECT_GT(trained["eval_map_50"].get<double>(), 0.8);
  ASSERT_EQ(quiet_run({"model_name_or_path=" + (folder_ / "out").string(), "precision=f32",
                       "output_dir=" + (folder_ / "again").string(), "validation_file=" + (folder_ / "test").string()},
                      run_evaluation),
            0);
  const Json again = read_json(folder_ / "again/eval_results.json");
  for (const char* key : {"eval_map", "eval_map_50"}) {
    EXPECT_NEAR(again[key].get<double>(), trained[key].get<double>(), 1e-5) << key;
  }
}

TEST_F(BoxedRun, TheSameSeedGivesTheSameBits) {
  const auto run = [&](const std::string& name) {
    EXPECT_EQ(quiet_run(training({"max_steps=3", "output_dir=" + (folder_ / name).string()})), 0);
    return read_file(folder_ / name / "model.safetensors");
  };
  const int threads = thread_count();
  set_thread_count(1);
  const std::string first = run("first");
  set_thread_count(3);
  EXPECT_EQ(run("second"), first);
  set_thread_count(threads);
}

class BoxedTask : public BoxedRun {
 protected:
  BoxedTask() {
    initialize();
    Json config = read_json(folder_ / "config.json");
    config["num_labels"] = 2;
    model_ = models::new_model(config, {.head = models::Head::object_detection});
    processor_.height = processor_.width = kSide;
    processor_.image_mean = processor_.image_std = {0.25, 0.25, 0.25};
  }
  models::Model model_;
  ImageProcessor processor_;
};

// Where a box lies after mirroring, moving and joining, there is its colour.
TEST_F(BoxedTask, BoxesMoveWithTheirPictures) {
  AugmentOptions augment;
  augment.mosaic = 0.5;
  augment.flipud = 0.5;
  augment.hsv_h = augment.hsv_s = augment.hsv_v = 0;
  ObjectDetection task(model_, processor_, {.augment = augment});
  int64_t seen = 0;
  for (const EncodedExample& row : task.add(read_annotated_images(folder_ / "train").examples)) {
    const EncodedExample drawn = task.draw(row, 3);
    const LossInputs inputs = task.inputs(pack({&drawn, 1}));
    const auto boxes = inputs.targets.host<float>();
    const auto labels = inputs.labels.host<int32_t>();
    for (size_t i = 0; i < labels.size(); ++i, ++seen) {
      const auto x = static_cast<size_t>((boxes[4 * i] + boxes[4 * i + 2]) / 2);
      const auto y = static_cast<size_t>((boxes[4 * i + 1] + boxes[4 * i + 3]) / 2);
      const float* pixel = &drawn.features[(y * kSide + x) * 3];
      EXPECT_GT(pixel[labels[i] == 0 ? 2 : 0], 1) << "blue is class 0, red 1";
      EXPECT_LT(pixel[labels[i] == 0 ? 0 : 2], 1);
    }
  }
  EXPECT_GT(seen, 30);
}

// What the loss is told of a letterboxed picture leads back to the truth that scores are counted from.
TEST_F(BoxedTask, ScoredBoxesAreThoseOfTheFile) {
  ObjectDetection task(model_, processor_, {});
  const auto examples = read_annotated_images(folder_ / "test").examples;
  const std::vector<EncodedExample> rows = task.add(examples);
  const EncodedExample scored = task.scored(rows[0]);
  EXPECT_EQ(scored.targets, (std::vector<float>{48, kSide}));
  ASSERT_EQ(scored.objects.size(), 2U);
  EXPECT_EQ(scored.objects[0].box, examples[0].objects[0].box);
  const auto boxes = task.inputs(pack({&scored, 1})).targets;
  EXPECT_FLOAT_EQ(boxes.host<float>()[0], static_cast<float>(examples[0].objects[0].box.left));
  EXPECT_FLOAT_EQ(boxes.host<float>()[1], static_cast<float>(examples[0].objects[0].box.top + 8)) << "8 lines above";
}

TEST(DetectionsText, IsThatOfThePipeline) {
  const std::vector<DetectedObject> found = {{{1.9, 2, 30.2, 40}, 1, 0.5F}, {{0, 0, 5, 6}, 0, 0.25F}};
  EXPECT_EQ(
      infer::detections_text(found, {"a", "b\"c"}),
      "[{\"score\": 0.5, \"label\": \"b\\\"c\", \"box\": {\"xmin\": 1, \"ymin\": 2, \"xmax\": 30, \"ymax\": 40}}, "
      "{\"score\": 0.25, \"label\": \"a\", \"box\": {\"xmin\": 0, \"ymin\": 0, \"xmax\": 5, \"ymax\": 6}}]");
  EXPECT_EQ(infer::detections_text({}, {}), "[]");
}

TEST_F(BoxedRun, WhatCannotBeIsRefused) {
  const auto refusal = [&](const std::vector<std::string>& words) {
    return error_of([&] { quiet_run(training(words)); });
  };
  EXPECT_NE(refusal({"precision=int8"}).find("int8"), std::string::npos);
  const std::string backbone = "backbone_name_or_path=" + folder_.string();
  EXPECT_NE(refusal({backbone}).find("model.safetensors"), std::string::npos);
  EXPECT_NE(refusal({backbone, "task=image-segmentation"}).find("image-segmentation has no use for"),
            std::string::npos);
  EXPECT_NE(refusal({"train_file=" + (folder_ / "nowhere").string()}).find("nowhere"), std::string::npos);
  write_annotation("test", "0", object("green", 3, 3, 20, 20));
  EXPECT_NE(refusal({}).find("green"), std::string::npos);
  write_annotation("test", "0", object("red", 30, 3, 20, 20));
  EXPECT_NE(refusal({}).find("rising numbers"), std::string::npos);
  write_annotation("test", "0", "");
  write_file_atomically(folder_ / "train/JPEGImages/1.png", "not a picture");
  EXPECT_NE(refusal({}).find("1.png"), std::string::npos);
}

// A box that reaches beyond its picture is learned as far as it is seen; one wholly outside is none.
TEST_F(BoxedTask, BoxesOutsideAreCut) {
  ImageExample picture = read_annotated_images(folder_ / "test").examples[0];
  picture.objects = {{{-10, -5, 20, 30}}, {{70, 10, 90, 20}}, {{10, 10, 20, 20}, 1, true}};
  for (ImageObject& object : picture.objects) object.label = 1;
  ObjectDetection task(model_, processor_, {});
  const std::vector<EncodedExample> rows = task.add({picture});
  const EncodedExample scored = task.scored(rows[0]);
  const LossInputs inputs = task.inputs(pack({&scored, 1}));
  ASSERT_EQ(inputs.labels.elements(), 1);
  EXPECT_EQ(inputs.targets.host<float>()[0], 0);
  EXPECT_EQ(inputs.targets.host<float>()[2], 20);
}

}  // namespace
}  // namespace suanli
