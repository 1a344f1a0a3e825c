// Faster R-CNN against torchvision in f32: what is found, the four losses and every gradient.
#include <gtest/gtest.h>

#include <limits>

#include "autograd/tape.h"
#include "expect_error.h"
#include "models/axes.h"
#include "models/golden.h"
#include "ops/arithmetic.h"
#include "ops/initialize.h"

namespace suanli::models {
namespace {

class DetectionGolden : public testing::Test {
 protected:
  void SetUp() override { initialize(); }
  Model load(bool trainable) const {
    return load_model(folder_, {.head = Head::object_detection, .trainable = trainable, .device = test_device()});
  }
  Tensor pixels() const { return golden_.tensor("pixels").on(test_device()); }
  DetectionTargets targets() const {
    return {golden_.tensor("boxes"), golden_.tensor("labels"), golden_.tensor("boxes_offsets")};
  }

  const std::filesystem::path folder_ = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/detection";
  const SafetensorsFile golden_ = SafetensorsFile::open(folder_ / "golden.safetensors");
};

// f32 sums of at most 294 terms, 2 sqrt(294) 2^-24 = 2e-6 of their size, through some fifteen layers.
constexpr double kLayers = 5e-5;

TEST_F(DetectionGolden, WhatIsFoundAgrees) {
  const Model model = load(false);
  const auto found = model.network->detect(pixels(), {});
  const auto offsets = golden_.tensor("found_boxes_offsets").host<int32_t>();
  const auto boxes = golden_.tensor("found_boxes").host<float>(), scores = golden_.tensor("found_scores").host<float>();
  const auto labels = golden_.tensor("found_labels").host<int32_t>();
  ASSERT_EQ(found.size() + 1, offsets.size());
  ASSERT_GT(offsets.back(), 10) << "a golden file that shows nothing";
  for (size_t b = 0; b < found.size(); ++b) {
    ASSERT_EQ(std::ssize(found[b]), offsets[b + 1] - offsets[b]);
    for (size_t i = 0; i < found[b].size(); ++i) {
      const size_t at = static_cast<size_t>(offsets[b]) + i;
      const Detection& each = found[b][i];
      EXPECT_EQ(each.label, labels[at]) << b << ", " << i;
      EXPECT_NEAR(each.score, scores[at], kLayers);
      const float sides[] = {each.box.x1, each.box.y1, each.box.x2, each.box.y2};
      for (size_t side = 0; side < 4; ++side) EXPECT_NEAR(sides[side], boxes[4 * at + side], 64 * kLayers);
    }
  }
}

TEST_F(DetectionGolden, TrainingAgrees) {
  const Model model = load(true);
  const DetectionLosses losses = model.network->detection_losses(pixels(), targets(), {.training = true});
  const auto expect = [&](const char* name, const Tensor& loss) {
    EXPECT_LT(relative_distance(loss, golden_.tensor(std::string("loss/") + name)), kLayers) << name;
  };
  expect("objectness", losses.objectness);
  expect("rpn_box_reg", losses.rpn_box_reg);
  expect("classifier", losses.classifier);
  expect("box_reg", losses.box_reg);
  backward(ops::add(ops::add(losses.objectness, losses.rpn_box_reg), ops::add(losses.classifier, losses.box_reg)));
  size_t compared = 0;
  const auto stored = [&](const std::string& name, const Tensor& ours) {
    const StoredNames names = model.family->stored_names(name);
    ++compared;
    return names.axes.empty() ? ours : permuted(ours.to({}), inverse(names.axes));
  };
  for (const nn::Parameter& parameter : model.parameters->all()) {
    const Tensor theirs = golden_.tensor("grad/" + parameter.name);
    const Tensor ours = stored(parameter.name, gradient_of(parameter.value));
    ASSERT_EQ(ours.shape(), theirs.shape()) << parameter.name;
    // Small values of a batch norm's rstd and of a ReLU near its edge make gradients less certain than values.
    EXPECT_LT(relative_distance(ours, theirs), 5e-4) << parameter.name;
  }
  for (const nn::Parameter& buffer : model.parameters->buffers()) {
    const Tensor theirs = golden_.tensor("buffer/" + buffer.name);
    EXPECT_LT(relative_distance(stored(buffer.name, buffer.value), theirs), kLayers) << buffer.name;
  }
  constexpr size_t kOthers = 12;  // pixels, targets, losses and what is found
  EXPECT_EQ(compared + kOthers, golden_.entries().size()) << "every gradient and buffer has its tensor here";
}

// Strict loading in torchvision wants the same names and shapes.
TEST_F(DetectionGolden, SavedFolderHasTheTensorsOfTorchvision) {
  const Model model = load(false);
  const std::filesystem::path saved = std::filesystem::path(testing::TempDir()) / "saved_detector";
  save_model(model, saved);
  const SafetensorsFile theirs = SafetensorsFile::open(folder_ / "model.safetensors");
  const SafetensorsFile ours = SafetensorsFile::open(saved / "model.safetensors");
  EXPECT_EQ(ours.entries().size(), theirs.entries().size());
  for (const SafetensorsEntry& entry : theirs.entries()) {
    ASSERT_NE(ours.find(entry.name), nullptr) << entry.name;
    EXPECT_EQ(ours.find(entry.name)->shape(), entry.shape()) << entry.name;
  }
  std::filesystem::remove_all(saved);
}

TEST_F(DetectionGolden, PicturesWithoutObjectsHaveALossOfTheBackgroundAlone) {
  const Model model = load(true);
  const DetectionTargets none = {Tensor::zeros({0, 4}, DType::f32), Tensor::zeros({0}, DType::i32),
                                 Tensor::zeros({3}, DType::i32)};
  const DetectionLosses losses = model.network->detection_losses(pixels(), none, {.training = true});
  const auto value = [](const Tensor& loss) { return loss.to({}).host<float>()[0]; };
  EXPECT_GT(value(losses.objectness), 0);
  EXPECT_GT(value(losses.classifier), 0);
  EXPECT_EQ(value(losses.rpn_box_reg), 0);
  EXPECT_EQ(value(losses.box_reg), 0);
  backward(ops::add(losses.objectness, losses.classifier));
}

TEST_F(DetectionGolden, TargetsThatCannotBeAreRefused) {
  const Model model = load(true);
  const auto refusal = [&](const std::vector<float>& box, int32_t label) {
    const DetectionTargets one = {Tensor::from(box, {1, 4}), Tensor::from(std::vector<int32_t>{label}, {1}),
                                  Tensor::from(std::vector<int32_t>{0, 1, 1}, {3})};
    return error_of([&] { model.network->detection_losses(pixels(), one, {.training = true}); });
  };
  EXPECT_NE(refusal({5, 5, 5, 9}, 0).find("0 x 4"), std::string::npos);
  EXPECT_NE(refusal({5, 5, 9, 9}, 3).find("label 3"), std::string::npos);
  EXPECT_NE(refusal({5, 5, 9, 9}, -1).find("label -1"), std::string::npos);
  EXPECT_NE(refusal({5, 5, std::numeric_limits<float>::quiet_NaN(), 9}, 0).find("nan x 4"), std::string::npos);
}

}  // namespace
}  // namespace suanli::models
