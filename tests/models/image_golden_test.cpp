// Classifiers of images against PyTorch in f32: logits, loss, every gradient and the running averages.
#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "models/axes.h"
#include "models/golden.h"
#include "ops/initialize.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

class ImageGolden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { initialize(); }
  std::filesystem::path folder() const {
    return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/images" / GetParam();
  }
  Model load(bool trainable) const {
    return load_model(folder(), {.head = Head::image_classification, .trainable = trainable, .device = test_device()});
  }
  SafetensorsFile golden() const { return SafetensorsFile::open(folder() / "golden.safetensors"); }
};

/// A gradient or buffer as files hold it.
Tensor as_stored(const Model& model, const std::string& name, const Tensor& tensor) {
  const StoredNames stored = model.family->stored_names(name);
  return stored.axes.empty() ? tensor : permuted(tensor.to({}), inverse(stored.axes));
}
std::string stored_name(const Model& model, const std::string& name) {
  const StoredNames stored = model.family->stored_names(name);
  return (stored.body ? model.family->body_prefix() : "") + stored.names.front();
}

// f32 sums of at most 576 terms of size 1 in another order, 2 sqrt(576) 2^-24 = 3e-6 of it, through up to eight layers.
constexpr double kTolerance = 5e-5;

TEST_P(ImageGolden, LogitsAgree) {
  const Model model = load(false);
  const Tensor logits = model.network->image_logits(golden().tensor("pixels").on(test_device()), {});
  EXPECT_LT(relative_distance(logits, golden().tensor("logits")), kTolerance);
}

TEST_P(ImageGolden, TrainingAgrees) {
  const SafetensorsFile file = golden();
  const Model model = load(true);
  const Tensor logits = model.network->image_logits(file.tensor("pixels").on(test_device()), {.training = true});
  EXPECT_LT(relative_distance(logits, file.tensor("train_logits")), kTolerance);
  const Tensor loss = ops::cross_entropy(logits, file.tensor("labels"));
  EXPECT_LT(relative_distance(loss, file.tensor("loss")), kTolerance);
  backward(loss);
  size_t compared = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    const std::string name = "grad/" + stored_name(model, parameter.name);
    ASSERT_NE(file.find(name), nullptr) << name;
    const Tensor ours = as_stored(model, parameter.name, gradient_of(parameter.value));
    ASSERT_EQ(ours.shape(), file.tensor(name).shape()) << name;
    // Small values of a batch norm's rstd and of a ReLU near its edge make gradients less certain than values.
    EXPECT_LT(relative_distance(ours, file.tensor(name)), 5e-4) << name;
    ++compared;
  }
  for (const nn::Parameter& buffer : model.parameters->buffers()) {
    const std::string name = "buffer/" + stored_name(model, buffer.name);
    ASSERT_NE(file.find(name), nullptr) << name;
    EXPECT_LT(relative_distance(buffer.value, file.tensor(name)), kTolerance) << name;
    ++compared;
  }
  EXPECT_EQ(compared + 5, file.entries().size()) << "every gradient and buffer of the golden file has its tensor here";
}

INSTANTIATE_TEST_SUITE_P(Models, ImageGolden,
                         testing::Values("lenet", "resnet_basic", "resnet_bottleneck", "resnet_cifar"),
                         [](const auto& each) { return each.param; });

// Files of torchvision differ in names alone.
TEST(ResNetNames, AreThoseOfTheFiles) {
  const Json json = {{"model_type", "resnet"},     {"layer_type", "bottleneck"}, {"embedding_size", 64},
                     {"hidden_sizes", {256, 512}}, {"depths", {3, 4}},           {"num_labels", 10}};
  const auto name = [](const Json& config, const char* parameter) {
    return read_family(config, "config.json")->stored_names(parameter).names.front();
  };
  EXPECT_EQ(name(json, "layer2.3.conv3.weight"), "encoder.stages.1.layers.3.layer.2.convolution.weight");
  EXPECT_EQ(name(json, "layer1.0.downsample.1.running_var"),
            "encoder.stages.0.layers.0.shortcut.normalization.running_var");
  EXPECT_EQ(name(json, "bn1.bias"), "embedder.embedder.normalization.bias");
  EXPECT_EQ(name(json, "fc.weight"), "classifier.1.weight");
  Json torchvision = json;
  torchvision["weight_names"] = "torchvision";
  EXPECT_EQ(name(torchvision, "layer1.0.downsample.1.bias"), "layer1.0.downsample.1.bias");
}

}  // namespace
}  // namespace suanli::models
