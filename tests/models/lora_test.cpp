/// Low-rank adapters against PEFT: logits, loss, gradients, files both ways, and the merged model.
#include <gtest/gtest.h>

#include <set>

#include "autograd/tape.h"
#include "base/file.h"
#include "expect_error.h"
#include "formats/model_folder.h"
#include "models/golden.h"
#include "models/merge.h"
#include "ops/initialize.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

struct LoraCase {
  const char* name;
  GoldenCase base;
};

std::filesystem::path adapter_folder(const std::string& name) {
  return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/lora" / name;
}

std::filesystem::path scratch(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("suanli_lora_" + name);
  std::filesystem::remove_all(folder);
  return folder;
}

class Lora : public testing::TestWithParam<LoraCase> {
 protected:
  void SetUp() override { initialize(); }
  std::filesystem::path folder() const { return adapter_folder(GetParam().name); }
  Model load(bool trainable) const {
    return load_model(folder(), {.head = GetParam().base.head(), .trainable = trainable, .device = test_device()});
  }
  SafetensorsFile golden() const { return SafetensorsFile::open(folder() / "golden.safetensors"); }
  SafetensorsFile base_golden() const { return SafetensorsFile::open(GetParam().base.folder() / "golden.safetensors"); }
  Tensor logits(const Model& model) const { return golden_logits(model, golden_batch(base_golden(), "", 0, 3), {}); }
  Tensor labels() const { return golden_labels(base_golden(), "", GetParam().base.task, 0, 3); }
};

// As in golden_test.cpp: f32 sums of at most 120 terms of size 1 in another order, through two layers.
constexpr double kForwardTolerance = 2e-5;

TEST_P(Lora, LogitsLossAndEveryGradientAreThoseOfPeft) {
  const Model model = load(true);
  const SafetensorsFile file = golden();
  // Once before: what a kernel keeps of weights that stay would show in the second pass alone.
  backward(ops::cross_entropy(logits(model), labels()));
  for (const nn::Parameter& parameter : model.parameters->trained()) gradient_of(parameter.value) = Tensor();
  const Tensor ours = logits(model);
  EXPECT_LT(largest_difference(ours, file.tensor("logits")), kForwardTolerance);
  const Tensor loss = ops::cross_entropy(ours, labels());
  EXPECT_NEAR(loss.to({}).host<float>()[0], file.tensor("loss").host<float>()[0], 1e-5);
  backward(loss);
  // Each gradient in the place of its parameter: they are then saved under the names of the file.
  for (const nn::Parameter& parameter : model.parameters->trained()) {
    Tensor value = detach(parameter.value);
    value.copy_from(gradient_of(parameter.value));
  }
  size_t compared = 0;
  for (const auto& [name, gradient] : hugging_face_tensors(model)) {
    ASSERT_NE(file.find("grad/" + name), nullptr) << name;
    EXPECT_LT(relative_distance(gradient, file.tensor("grad/" + name)), 1e-4) << name;
    ++compared;
  }
  EXPECT_EQ(compared + 2, file.entries().size()) << "every gradient, the logits and the loss";
}

TEST_P(Lora, MergedWeightsGiveTheSameLogits) {
  const Model merged = load(false);
  EXPECT_EQ(merged.adapter, nullptr);
  EXPECT_LT(largest_difference(logits(merged), golden().tensor("logits")), kForwardTolerance);
  const auto output = scratch("merged");
  write_merged_folder(folder(), output, DType::f32);
  const Model plain = load_model(output, {.head = GetParam().base.head(), .device = test_device()});
  EXPECT_EQ(largest_difference(logits(plain), logits(merged)), 0);
}

TEST_P(Lora, WhatPeftSavedIsSavedAgainByteForByte) {
  const auto output = scratch("again");
  save_model(load(true), output);
  const SafetensorsFile theirs = SafetensorsFile::open(folder() / kAdapterWeights);
  const SafetensorsFile ours = SafetensorsFile::open(output / kAdapterWeights);
  ASSERT_EQ(ours.entries().size(), theirs.entries().size());
  for (const SafetensorsEntry& entry : theirs.entries()) {
    ASSERT_NE(ours.find(entry.name), nullptr) << entry.name;
    EXPECT_EQ(largest_difference(ours.tensor(entry.name), theirs.tensor(entry)), 0) << entry.name;
  }
  const Json before = read_json(folder() / kAdapterConfig), after = read_json(output / kAdapterConfig);
  for (const auto& [key, value] : after.items()) {
    if (key == "base_model_name_or_path") continue;
    EXPECT_EQ(value, before[key]) << key;
  }
  // The base is named so that the folder can lie anywhere.
  EXPECT_LT(largest_difference(logits(load_model(output, {.head = GetParam().base.head(), .device = test_device()})),
                               golden().tensor("logits")),
            kForwardTolerance);
}

TEST_P(Lora, ANewAdapterBeginsAtTheBaseAndLeavesItWithoutGradients) {
  const ModelOptions plain = {.head = GetParam().base.head(), .trainable = true, .device = test_device()};
  ModelOptions adapted = plain;
  adapted.lora = LoraConfig{.r = 2, .lora_alpha = 4};
  const Model base = load_model(GetParam().base.folder(), plain);
  const Model model = load_model(GetParam().base.folder(), adapted);
  EXPECT_EQ(largest_difference(logits(model), logits(base)), 0) << "lora_B is zero";
  backward(ops::cross_entropy(logits(model), labels()));
  int64_t trained = 0, frozen = 0;
  std::set<std::string> names;
  for (const nn::Parameter& parameter : model.parameters->trained()) names.insert(parameter.name);
  for (const nn::Parameter& parameter : model.parameters->all()) {
    if (names.contains(parameter.name)) {
      EXPECT_TRUE(is_lora(parameter.name) || parameter.name.starts_with("classifier")) << parameter.name;
      EXPECT_TRUE(gradient_of(parameter.value).defined()) << parameter.name;
      trained += parameter.value.elements();
    } else {
      EXPECT_EQ(parameter.value.tape(), nullptr) << parameter.name << " is no leaf";
      frozen += parameter.value.elements();
    }
  }
  EXPECT_LT(10 * trained, frozen);
}

TEST_P(Lora, DropoutIsOfTrainingAndOfTheStepAlone) {
  ModelOptions options = {.head = GetParam().base.head(), .trainable = true, .device = test_device()};
  options.lora = LoraConfig{.r = 2, .lora_alpha = 4, .lora_dropout = 0.5, .target_modules = {"all-linear"}};
  const Model model = load_model(GetParam().base.folder(), options);
  for (const nn::Parameter& parameter : model.parameters->trained()) {
    const std::vector<float> tenths(static_cast<size_t>(parameter.value.elements()), 0.1F);
    Tensor value = detach(parameter.value);
    value.copy_from(Tensor::from(tenths, value.shape()));
  }
  const PackedSequences batch = golden_batch(base_golden(), "", 0, 3);
  const auto at = [&](bool training, uint32_t step) {
    return golden_logits(model, batch, {.training = training, .seed = 3, .step = step});
  };
  EXPECT_EQ(largest_difference(at(true, 5), at(true, 5)), 0);
  EXPECT_GT(largest_difference(at(true, 5), at(true, 6)), 1e-3);
  EXPECT_EQ(largest_difference(at(false, 5), at(false, 6)), 0);
}

INSTANTIATE_TEST_SUITE_P(Peft, Lora,
                         testing::Values(LoraCase{"bert", {"bert", "text-classification"}},
                                         LoraCase{"llama", {"llama", "causal-lm"}},
                                         LoraCase{"gpt2", {"gpt2", "causal-lm"}}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(LoraConfig, WhatChangesTheResultAndIsNotSupportedIsRefusedByName) {
  const Json plain = {{"peft_type", "LORA"}, {"r", 4}, {"lora_alpha", 8}, {"rank_pattern", Json::object()}};
  EXPECT_EQ(lora_config(plain, "test").scaling(), 2);
  const Json changes = {
      {"use_dora", true}, {"rank_pattern", {{"query", 2}}}, {"peft_type", "IA3"}, {"r", 0}, {"lora_dropout", 1.5}};
  for (const auto& [key, value] : changes.items()) {
    Json changed = plain;
    changed[key] = value;
    EXPECT_NE(error_of([&] { lora_config(changed, "test"); }).find(key), std::string::npos) << key;
  }
}

class BadAdapter : public testing::Test {
 protected:
  /// The message of loading the BERT adapter with its configuration changed.
  std::string error_with(const Json& changes, bool trainable = false) {
    initialize();
    const auto folder = scratch("bad");
    std::filesystem::create_directories(folder);
    Json config = read_json(adapter_folder("bert") / kAdapterConfig);
    config["base_model_name_or_path"] = (adapter_folder("bert") / "../../bert/text-classification").string();
    config.update(changes);
    write_file_atomically(folder / kAdapterConfig, config.dump());
    std::filesystem::copy_file(adapter_folder("bert") / kAdapterWeights, folder / kAdapterWeights);
    return error_of([&] { load_model(folder, {.head = Head::sequence_classification, .trainable = trainable}); });
  }
};

TEST_F(BadAdapter, ABaseThatIsNotThereIsNamed) {
  EXPECT_NE(error_with({{"base_model_name_or_path", "org/model"}}).find("org/model"), std::string::npos);
}

TEST_F(BadAdapter, ARankThatTheTensorsDoNotHaveIsRefused) {
  for (const bool trainable : {false, true})
    EXPECT_NE(error_with({{"r", 3}}, trainable).find("got [4"), std::string::npos);
}

TEST_F(BadAdapter, TensorsOfAnotherModelAreLeftOver) {
  const std::string base = (adapter_folder("bert") / "../../distilbert/text-classification").string();
  EXPECT_NE(error_with({{"base_model_name_or_path", base}}).find("left over"), std::string::npos);
}

TEST(NewAdapter, ATargetThatNoLayerHasIsRefusedByName) {
  initialize();
  ModelOptions options = {.head = Head::sequence_classification, .trainable = true};
  options.lora = LoraConfig{.target_modules = {"q_proj"}};
  const auto base = GoldenCase{"bert", "text-classification"}.folder();
  EXPECT_NE(error_of([&] { load_model(base, options); }).find("q_proj"), std::string::npos);
}

}  // namespace
}  // namespace suanli::models
