// The network for tables equals PyTorch's, also in every gradient; its folder is read back as it was written.
#include "models/tabular/mlp.h"

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "expect_error.h"
#include "models/golden.h"
#include "ops/initialize.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/tabular";

Json small_config() {
  return {{"model_type", "tabular_mlp"}, {"num_features", 2}, {"category_sizes", {3}}, {"num_labels", 2}};
}

// f32 sums of at most 6 terms of size 1 through three layers: 3 * 6 * 2^-24 = 1e-6.
constexpr double kTolerance = 5e-6;

TEST(TabularMlp, LogitsLossAndEveryGradientEqualThoseOfPyTorch) {
  initialize();
  const Model model = load_model(kFolder, {.trainable = true, .device = test_device()});
  const SafetensorsFile file = SafetensorsFile::open(kFolder / "golden.safetensors");
  const Tensor logits =
      model.network->row_logits(file.tensor("numbers").to(test_device()), file.tensor("categories"), {});
  EXPECT_LT(largest_difference(logits, file.tensor("logits")), kTolerance);
  const Tensor loss = ops::cross_entropy(logits, file.tensor("labels"));
  EXPECT_LT(largest_difference(loss, file.tensor("loss")), kTolerance);
  backward(loss);
  ASSERT_EQ(model.parameters->all().size(), 8U);
  for (const nn::Parameter& parameter : model.parameters->all()) {
    const Tensor expected = file.tensor("grad/" + parameter.name);
    EXPECT_LT(largest_difference(gradient_of(parameter.value), expected), kTolerance) << parameter.name;
  }
}

TEST(TabularMlp, WithoutHiddenLayersItIsLinearInItsInputs) {
  initialize();
  const Model model = new_model(small_config(), {});
  ASSERT_EQ(model.parameters->all().size(), 3U);
  const auto logits = [&](std::vector<float> x, std::vector<int32_t> category) {
    const Tensor y = model.network->row_logits(Tensor::from(x, {1, 2}), Tensor::from(category, {1, 1}), {});
    return std::vector<float>(y.host<float>().begin(), y.host<float>().end());
  };
  const auto zero = logits({0, 0}, {1}), one = logits({1, 0}, {1}), two = logits({2, 0}, {1});
  for (size_t c = 0; c < 2; ++c) EXPECT_NEAR(two[c] - one[c], one[c] - zero[c], 1e-6);
  EXPECT_NE(logits({0, 0}, {2}), zero);
}

TEST(TabularMlp, ImpossibleConfigurationsAreNamed) {
  const auto message = [](const char* key, const Json& value) {
    Json json = small_config();
    json[key] = value;
    return error_of([&] { tabular_config(json, "config.json"); });
  };
  EXPECT_NE(message("hidden_sizes", {4, 0}).find("in 1..2^24 in \"hidden_sizes\", got 0"), std::string::npos);
  EXPECT_NE(message("threshold", 2).find("\"threshold\" in 0..1, got 2"), std::string::npos);
  EXPECT_NE(message("target_scale", 0).find("target_scale"), std::string::npos);
  EXPECT_NE(message("hidden_act", "swoosh").find("swoosh"), std::string::npos);
  Json nothing = small_config();
  nothing["num_features"] = 0;
  nothing["category_sizes"] = Json::array();
  EXPECT_NE(error_of([&] { tabular_config(nothing, "config.json"); }).find("a table needs a column"),
            std::string::npos);
}

}  // namespace
}  // namespace suanli::models
