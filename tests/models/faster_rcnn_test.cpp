// The arithmetic of boxes in a detector, and configurations that cannot be.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "expect_error.h"
#include "models/backbone.h"
#include "models/family.h"
#include "models/faster_rcnn/boxes.h"
#include "models/load.h"
#include "ops/initialize.h"

namespace suanli::models {
namespace {

// A ratio of height to width at equal area, around the corner of each place, row by row.
TEST(Anchors, LieAroundEachPlace) {
  const auto anchors = grid_anchors(2, 3, 16, 24, 16, std::vector<double>{0.25, 1});
  ASSERT_EQ(anchors.size(), 2U * 3 * 2);
  EXPECT_EQ(anchors[0], (CornerBox{-16, -4, 16, 4}));
  EXPECT_EQ(anchors[1], (CornerBox{-8, -8, 8, 8}));
  EXPECT_EQ(anchors[2], (CornerBox{-8, -4, 24, 4}));         // one place to the right
  EXPECT_EQ(anchors[2 * 3 + 1], (CornerBox{-8, 0, 8, 16}));  // one down
}

TEST(BoxCoder, DecodesWhatItEncoded) {
  const CornerBox from = {10, 20, 50, 40}, to = {14, 10, 30, 70};
  for (const BoxCoder& coder : {kAnchorCoder, kBoxCoder}) {
    const auto deltas = coder.encode(from, to);
    EXPECT_FLOAT_EQ(deltas[0], coder.weights[0] * (22 - 30) / 40);
    EXPECT_FLOAT_EQ(deltas[3], coder.weights[3] * std::log(60.0F / 20));
    const CornerBox back = coder.decode(from, deltas);
    EXPECT_NEAR(back.x1, to.x1, 1e-4);
    EXPECT_NEAR(back.y2, to.y2, 1e-4);
  }
  const std::array<float, 4> far = {0, 0, 100, 0};
  EXPECT_NEAR(kAnchorCoder.decode(from, far).width(), 40 * 1000.0 / 16, 0.1) << "no side grows without bound";
}

TEST(Matcher, KnowsObjectsBackgroundAndWhatLiesBetween) {
  const std::vector<CornerBox> objects = {{0, 0, 10, 10}, {100, 100, 110, 120}};
  // All of the first; 40 of its 100; nothing; half of the second, the best there is.
  const std::vector<CornerBox> boxes = {{0, 0, 10, 10}, {0, 0, 10, 4}, {50, 50, 60, 60}, {100, 100, 110, 110}};
  const BoxSampling thresholds = {0.7, 0.3, 4, 0.5};
  EXPECT_EQ(match_boxes(objects, boxes, thresholds, false), (std::vector<int64_t>{0, kBetween, kBackground, kBetween}));
  EXPECT_EQ(match_boxes(objects, boxes, thresholds, true), (std::vector<int64_t>{0, kBetween, kBackground, 1}));
  EXPECT_EQ(match_boxes({}, boxes, thresholds, true), std::vector<int64_t>(4, kBackground));
}

// The same key, the same boxes; each as often as the next.
TEST(SampledBoxes, AreDrawnAlikeAndByTheirKey) {
  std::vector<int64_t> matches(60, kBackground);
  for (size_t i = 0; i < 20; ++i) matches[i] = 5;
  matches[59] = kBetween;
  const BoxSampling sampling = {0.5, 0.5, 16, 0.25};
  std::vector<int> times(60);
  for (uint32_t step = 0; step < 3000; ++step) {
    RandomGenerator random({7, step, 3}), again({7, step, 3});
    const SampledBoxes chosen = sample_boxes(matches, sampling, random);
    ASSERT_EQ(chosen.positive.size(), 4U);
    ASSERT_EQ(chosen.negative.size(), 12U);
    EXPECT_EQ(sample_boxes(matches, sampling, again).negative, chosen.negative);
    for (const int64_t i : chosen.positive) ++times[static_cast<size_t>(i)];
    for (const int64_t i : chosen.negative) ++times[static_cast<size_t>(i)];
  }
  // Means 600 and 923, deviations sqrt(3000 p (1 - p)) of 22 and 25: five of them.
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(times[i], 600, 110);
  for (size_t i = 20; i < 59; ++i) EXPECT_NEAR(times[i], 923, 126);
  EXPECT_EQ(times[59], 0);
  RandomGenerator random({7, 0, 3});
  const SampledBoxes all = sample_boxes(matches, {0.5, 0.5, 100, 0.25}, random);
  EXPECT_EQ(all.positive.size(), 20U);
  EXPECT_EQ(all.negative.size(), 39U);
}

TEST(BestScores, LeaveOutWhatIsNoNumber) {
  const float nan = std::nanf("");
  EXPECT_EQ(best_scores(std::vector<float>{1, nan, 3, 3, -2}, 3), (std::vector<int64_t>{2, 3, 0}));
  EXPECT_EQ(best_scores(std::vector<float>{nan, nan}, 3), std::vector<int64_t>{});
}

class DetectorConfig : public testing::Test {
 protected:
  void SetUp() override { initialize(); }
  Json json_ = {
      {"model_type", "faster_rcnn"},
      {"num_labels", 2},
      {"out_channels", 4},
      {"representation_size", 8},
      {"returned_layers", {2, 3}},
      {"anchor_sizes", {8, 16, 32}},
      {"backbone_config",
       {{"model_type", "efficientnet_lite"}, {"blocks", {{1, 8, 1, 1, 3}, {2, 8, 1, 2, 3}, {2, 12, 2, 2, 3}}}}}};
  std::string refusal(const char* key, const Json& value) const {
    Json json = json_;
    json[key] = value;
    return error_of([&] { new_model(json, {.head = Head::object_detection}); });
  }
};

TEST_F(DetectorConfig, StandsOnTheStagesOfAnyBackbone) {
  const Model model = new_model(json_, {.head = Head::object_detection});
  const Tensor pixels = Tensor::zeros({2, 32, 32, 3}, DType::f32);
  EXPECT_EQ(model.network->detect(pixels, {}).size(), 2U);
  EXPECT_EQ(model.family->stored_names("backbone.body.block.1.project.norm.bias").names.front(),
            "backbone.body._blocks.1._bn2.bias");
}

// What a classifier has learned is where the detector begins; its other parameters are left alone.
TEST_F(DetectorConfig, TakesTheWeightsOfAClassifier) {
  const std::filesystem::path folder =
      std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/images/efficientnet_lite";
  const auto compared = [&](bool loaded) {
    const Model model = new_model(json_, {.head = Head::object_detection});
    if (loaded) load_backbone(model, folder);
    return hugging_face_tensors(model);
  };
  json_["backbone_config"] = read_json(folder / "config.json");
  const SafetensorsFile classifier = SafetensorsFile::open(folder / "model.safetensors");
  const std::vector<NamedTensor> before = compared(false), after = compared(true);
  const std::string prefix = "backbone.body.";
  size_t taken = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    if (after[i].tensor.dtype() != DType::f32) continue;
    const auto values = after[i].tensor.host<float>();
    const bool body = after[i].name.starts_with(prefix);
    const Tensor from = body ? classifier.tensor(after[i].name.substr(prefix.size())) : before[i].tensor;
    EXPECT_TRUE(std::ranges::equal(values, from.host<float>())) << after[i].name;
    taken += body ? 1 : 0;
  }
  EXPECT_GT(taken, 20U);
  json_["backbone_config"]["blocks"][1][1] = 24;
  EXPECT_NE(error_of([&] { compared(true); }).find("backbone_config"), std::string::npos);
}

TEST_F(DetectorConfig, FrozenStatisticsStayAsTheyAre) {
  const DetectionTargets targets = {Tensor::from(std::vector<float>{4, 4, 20, 24}, {1, 4}),
                                    Tensor::zeros({1}, DType::i32), Tensor::from(std::vector<int32_t>{0, 1}, {2})};
  for (const bool frozen : {false, true}) {
    json_["frozen_statistics"] = frozen;
    const Model model = new_model(json_, {.head = Head::object_detection, .trainable = true});
    const Tensor mean = model.parameters->buffers().front().value, before = mean.clone();
    Tensor pixels = Tensor::zeros({1, 32, 32, 3}, DType::f32);
    std::ranges::fill(pixels.host<float>(), 0.7F);
    model.network->detection_losses(pixels, targets, {.training = true});
    EXPECT_EQ(std::ranges::equal(mean.host<float>(), before.host<float>()), frozen);
  }
}

TEST_F(DetectorConfig, ThatCannotBeIsRefused) {
  EXPECT_NE(refusal("returned_layers", {3, 2}).find("one after another"), std::string::npos);
  EXPECT_NE(refusal("returned_layers", Json::array()).find("at least one"), std::string::npos);
  EXPECT_NE(refusal("returned_layers", {3, 4}).find("at least 4 stages, got 3"), std::string::npos);
  EXPECT_NE(refusal("anchor_sizes", {8, 16}).find("3 \"anchor_sizes\""), std::string::npos);
  EXPECT_NE(refusal("anchor_sizes", {8, 16, -1}).find("above 0"), std::string::npos);
  EXPECT_NE(refusal("anchor_sizes", "many").find("anchor_sizes"), std::string::npos);
  EXPECT_NE(refusal("aspect_ratios", Json::array()).find("1 to 64"), std::string::npos);
  EXPECT_NE(refusal("out_channels", 1 << 20).find("up to 100000"), std::string::npos);
  EXPECT_NE(refusal("out_channels", 0).find("out_channels"), std::string::npos);
  EXPECT_NE(refusal("box_nms_thresh", 1.5).find("[0, 1]"), std::string::npos);
  EXPECT_NE(refusal("rpn_post_nms_top_n_train", 1000000).find("up to 100000"), std::string::npos);
  EXPECT_NE(refusal("rpn_bg_iou_thresh", 0.9).find("rpn_fg_iou_thresh"), std::string::npos);
  EXPECT_NE(refusal("backbone_config", json_).find("expected a classifier"), std::string::npos);
  EXPECT_NE(refusal("backbone_config", {{"model_type", "lenet"}}).find("feature maps"), std::string::npos);
  EXPECT_NE(refusal("backbone_config", 3).find("backbone_config"), std::string::npos);
  EXPECT_NE(refusal("num_labels", 0).find("num_labels"), std::string::npos);
  const std::string other = error_of([&] { new_model(json_, {.head = Head::image_classification}); });
  EXPECT_NE(other.find("object-detection"), std::string::npos);
}

}  // namespace
}  // namespace suanli::models
