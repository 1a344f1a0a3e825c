// Networks that answer with pictures against PyTorch in f32: output, loss, every gradient; what their config.json may
// say.
#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "expect_error.h"
#include "models/axes.h"
#include "models/golden.h"
#include "ops/initialize.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

class DenseGolden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { initialize(); }
  std::filesystem::path folder() const {
    return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/dense_images" / GetParam();
  }
  Model load(bool trainable) const {
    const Head head = GetParam() == "heatmap" ? Head::keypoint_detection : Head::image_super_resolution;
    return load_model(folder(), {.head = head, .trainable = trainable, .device = test_device()});
  }
  SafetensorsFile golden() const { return SafetensorsFile::open(folder() / "golden.safetensors"); }
  Tensor output_of(const Model& model, const nn::Mode& mode) const {
    const Tensor pixels = golden().tensor("pixels").on(test_device());
    return GetParam() == "heatmap" ? model.network->heat_maps(pixels, mode)
                                   : model.network->enlarged_pixels(pixels, mode);
  }
};

// f32 sums of at most 81 terms of size 1 in another order, 2 sqrt(81) 2^-24 = 1e-6 of it, through up to ten layers.
constexpr double kTolerance = 2e-5;

TEST_P(DenseGolden, OutputAgrees) {
  EXPECT_LT(relative_distance(output_of(load(false), {}), golden().tensor("output")), kTolerance);
}

TEST_P(DenseGolden, TrainingAgrees) {
  const SafetensorsFile file = golden();
  const Model model = load(true);
  const Tensor y = output_of(model, {.training = true});
  EXPECT_LT(relative_distance(y, file.tensor("train_output")), kTolerance);
  const Tensor loss = ops::mse_loss(y, Tensor::zeros(y.shape(), DType::f32, y.device()));
  EXPECT_LT(relative_distance(loss, file.tensor("loss")), kTolerance);
  backward(loss);
  double weight_norm = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    const StoredNames stored = model.family->stored_names(parameter.name);
    const Tensor gradient = gradient_of(parameter.value).to({});
    const Tensor ours = stored.axes.empty() ? gradient : permuted(gradient, inverse(stored.axes));
    const Tensor theirs = file.tensor("grad/" + stored.names.front());
    ASSERT_EQ(ours.shape(), theirs.shape()) << parameter.name;
    if (parameter.name.ends_with("widen.bias")) {  // a batch norm takes any shift away: 0 but for rounding
      EXPECT_LT(norm(ours), 1e-5 * weight_norm) << parameter.name;
      continue;
    }
    EXPECT_LT(relative_distance(ours, theirs), 5e-4) << parameter.name;  // a batch norm's rstd makes them less certain
    weight_norm = norm(ours);
  }
  EXPECT_EQ(model.parameters->all().size() + 4, file.entries().size());
}

TEST_P(DenseGolden, SavedFolderHasTheTensorsOfPyTorch) {
  const Model model = load(false);
  const std::filesystem::path saved = std::filesystem::path(testing::TempDir()) / ("saved_dense_" + GetParam());
  save_model(model, saved);
  const SafetensorsFile theirs = SafetensorsFile::open(folder() / "model.safetensors");
  const SafetensorsFile ours = SafetensorsFile::open(saved / "model.safetensors");
  EXPECT_EQ(ours.entries().size(), theirs.entries().size());
  for (const SafetensorsEntry& entry : theirs.entries()) {
    ASSERT_NE(ours.find(entry.name), nullptr) << entry.name;
    EXPECT_EQ(ours.find(entry.name)->shape(), entry.shape()) << entry.name;
  }
  EXPECT_EQ(head_of(read_json(saved / "config.json"), "config.json"), model.head);
  std::filesystem::remove_all(saved);
}

INSTANTIATE_TEST_SUITE_P(Models, DenseGolden, testing::Values("edsr", "edsr_x4", "heatmap", "srcnn"),
                         [](const auto& each) { return each.param; });

TEST(DenseNetworks, HostileConfigurationsAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"model_type": "edsr", "upscale": 5})", "upscale"},
      {R"({"model_type": "edsr", "upscale": -2})", "upscale"},
      {R"({"model_type": "edsr", "num_channels": 4})", "num_channels"},
      {R"({"model_type": "edsr", "n_resblocks": 1000000})", "n_resblocks"},
      {R"({"model_type": "edsr", "n_feats": 2147483648})", "n_feats"},
      {R"({"model_type": "edsr", "rgb_range": 0})", "rgb_range"},
      {R"({"model_type": "edsr", "rgb_mean": [0.5]})", "rgb_mean"},
      {R"({"model_type": "srcnn", "kernel_sizes": [9, 2, 5]})", "kernel_sizes"},
      {R"({"model_type": "srcnn", "kernel_sizes": [9, 5]})", "kernel_sizes"},
      {R"({"model_type": "srcnn", "hidden_sizes": [0, 5]})", "hidden_sizes"},
      {R"({"model_type": "heatmap"})", "num_keypoints"},
      {R"({"model_type": "heatmap", "num_keypoints": 100000})", "num_keypoints"},
      {R"({"model_type": "heatmap", "num_keypoints": 3, "image_size": 40})", "multiple of 16"},
      {R"({"model_type": "heatmap", "num_keypoints": 3, "hidden_sizes": []})", "hidden_sizes"},
      {R"({"model_type": "heatmap", "num_keypoints": 3, "num_channels": 2})", "num_channels"},
  };
  for (const auto& [text, named] : cases) {
    const Json json = Json::parse(text);
    EXPECT_NE(error_of([&] { read_family(json, "config.json"); }).find(named), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace suanli::models
