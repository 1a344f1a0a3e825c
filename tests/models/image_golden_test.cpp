// Classifiers of images against PyTorch in f32: logits, loss, every gradient and the running averages.
#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "models/axes.h"
#include "models/golden.h"
#include "ops/initialize.h"
#include "ops/layout.h"
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
    const Head head = GetParam() == "unet" ? Head::semantic_segmentation : Head::image_classification;
    return load_model(folder(), {.head = head, .trainable = trainable, .device = test_device()});
  }
  SafetensorsFile golden() const { return SafetensorsFile::open(folder() / "golden.safetensors"); }
};

/// Of images [B, labels], or of all their pixels [B * height * width, labels].
Tensor logits_of(const Model& model, const SafetensorsFile& file, const nn::Mode& mode) {
  const Tensor pixels = file.tensor("pixels").on(test_device());
  if (model.head == Head::image_classification) return model.network->image_logits(pixels, mode);
  const Tensor logits = model.network->pixel_logits(pixels, mode);
  return ops::reshape(logits, {logits.elements() / logits.dim(3), logits.dim(3)});
}

/// A gradient or buffer as files hold it, the tensors that it consists of stacked.
Tensor as_stored(const Model& model, const std::string& name, const Tensor& tensor) {
  const StoredNames stored = model.family->stored_names(name);
  return stored.axes.empty() ? tensor : permuted(tensor.to({}), inverse(stored.axes));
}

/// The tensors of a file that the parameter `name` consists of, stacked; `count` grows by how many they are.
Tensor stored_of(const Model& model, const SafetensorsFile& file, const char* kind, const std::string& name,
                 size_t& count) {
  const StoredNames stored = model.family->stored_names(name);
  std::vector<float> all;
  std::vector<int64_t> sizes;
  for (const std::string& each : stored.names) {
    const std::string whole = kind + ((stored.body ? model.family->body_prefix() : "") + each);
    EXPECT_NE(file.find(whole), nullptr) << whole;
    const Tensor part = file.tensor(whole);
    sizes.assign(part.shape().sizes().begin(), part.shape().sizes().end());
    all.insert(all.end(), part.host<float>().begin(), part.host<float>().end());
    ++count;
  }
  sizes[0] *= static_cast<int64_t>(stored.names.size());
  const Tensor out = Tensor::empty(Shape(sizes), DType::f32);
  std::ranges::copy(all, out.host<float>().begin());
  return out;
}

// f32 sums of at most 576 terms of size 1 in another order, 2 sqrt(576) 2^-24 = 3e-6 of it, through up to eight layers;
// the 52 convolutions of MobileNetV2 are those of its sums that matter, of 9 to 64 terms.
constexpr double kTolerance = 5e-5;

TEST_P(ImageGolden, LogitsAgree) {
  const SafetensorsFile file = golden();
  const Model model = load(false);
  EXPECT_LT(relative_distance(logits_of(model, file, {}), file.tensor("logits")), kTolerance);
}

TEST_P(ImageGolden, TrainingAgrees) {
  const SafetensorsFile file = golden();
  const Model model = load(true);
  const Tensor logits = logits_of(model, file, {.training = true});
  EXPECT_LT(relative_distance(logits, file.tensor("train_logits")), kTolerance);
  const Tensor loss = ops::cross_entropy(logits, file.tensor("labels"));
  EXPECT_LT(relative_distance(loss, file.tensor("loss")), kTolerance);
  backward(loss);
  size_t compared = 0;
  double weight_norm = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    const Tensor theirs = stored_of(model, file, "grad/", parameter.name, compared);
    const Tensor ours = as_stored(model, parameter.name, gradient_of(parameter.value));
    ASSERT_EQ(ours.shape(), theirs.shape()) << parameter.name;
    if (parameter.name.ends_with("project.norm.bias")) {
      // Products and another batch norm follow, which take any shift away: 0 but for rounding.
      EXPECT_LT(norm(ours), 1e-5 * weight_norm) << parameter.name;
      continue;
    }
    // Small values of a batch norm's rstd and of a ReLU near its edge make gradients less certain than values.
    EXPECT_LT(relative_distance(ours, theirs), 5e-4) << parameter.name;
    weight_norm = norm(ours);
  }
  for (const nn::Parameter& buffer : model.parameters->buffers()) {
    const Tensor theirs = stored_of(model, file, "buffer/", buffer.name, compared);
    EXPECT_LT(relative_distance(buffer.value, theirs), kTolerance) << buffer.name;
  }
  EXPECT_EQ(compared + 5, file.entries().size()) << "every gradient and buffer of the golden file has its tensor here";
}

// What PyTorch's strict loading wants of a batch normalisation beside its parameters; files without it load as well.
TEST_P(ImageGolden, SavedFolderHasTheTensorsOfPyTorch) {
  const Model model = load(false);
  const std::filesystem::path saved = std::filesystem::path(testing::TempDir()) / ("saved_" + GetParam());
  save_model(model, saved);
  const SafetensorsFile theirs = SafetensorsFile::open(folder() / "model.safetensors");
  const SafetensorsFile ours = SafetensorsFile::open(saved / "model.safetensors");
  EXPECT_EQ(ours.entries().size(), theirs.entries().size());
  for (const SafetensorsEntry& entry : theirs.entries()) {
    ASSERT_NE(ours.find(entry.name), nullptr) << entry.name;
    EXPECT_EQ(ours.find(entry.name)->shape(), entry.shape()) << entry.name;
    EXPECT_EQ(ours.find(entry.name)->dtype(), entry.dtype()) << entry.name;
  }
  const Model again = load_model(saved, {.head = model.head, .trainable = true});
  EXPECT_TRUE(again.initialized.empty());
  EXPECT_TRUE(again.unused.empty());
  set_parameters(again, ours);
  std::filesystem::remove_all(saved);
}

INSTANTIATE_TEST_SUITE_P(Models, ImageGolden,
                         testing::Values("alexnet", "efficientnet_lite", "lenet", "mobilenet_v2",
                                         "mobilenet_v2_torchvision", "resnet_basic", "resnet_bottleneck",
                                         "resnet_cifar", "unet", "vit"),
                         [](const auto& each) { return each.param; });

TEST(ImageNetworks, SayWhatTheyCannotTake) {
  initialize();
  const auto message = [](const auto& run) {
    try {
      run();
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto config = [&](const Json& json) { return message([&] { read_family(json, "config.json"); }); };
  EXPECT_NE(config({{"model_type", "vit"}, {"image_size", 30}}).find("\"image_size\""), std::string::npos);
  EXPECT_NE(config({{"model_type", "vit"}, {"qkv_bias", false}}).find("\"qkv_bias\""), std::string::npos);
  EXPECT_NE(config({{"model_type", "mobilenet_v2"}, {"output_stride", 8}}).find("\"output_stride\""),
            std::string::npos);
  EXPECT_NE(config({{"model_type", "mobilenet_v2"}, {"weight_names", "keras"}}).find("keras"), std::string::npos);
  EXPECT_NE(config({{"model_type", "efficientnet_lite"}, {"blocks", {{1, 8, 1, 1}}}}).find("\"blocks\""),
            std::string::npos);
  EXPECT_NE(config({{"model_type", "alexnet"}, {"hidden_sizes", {8, 8}}}).find("\"hidden_sizes\""), std::string::npos);
  EXPECT_NE(config({{"model_type", "unet"}, {"hidden_sizes", Json::array()}}).find("\"hidden_sizes\""),
            std::string::npos);
  const Json json = {{"model_type", "unet"}, {"hidden_sizes", {4, 8, 8}}, {"num_labels", 2}};
  EXPECT_NE(message([&] { new_model(json, {.head = Head::image_classification}); }).find("image-segmentation"),
            std::string::npos);
  const Model model = new_model(json, {.head = Head::semantic_segmentation});
  const auto run = [&](int64_t side) {
    return message([&] { model.network->pixel_logits(Tensor::zeros({1, side, 8, 3}, DType::f32), {}); });
  };
  EXPECT_EQ(run(12), "");
  EXPECT_NE(run(10).find("multiples of 4"), std::string::npos);
}

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
