// Forecasters equal PyTorch's, also in every gradient; a configuration that cannot be is refused.
#include "models/forecast/forecast.h"

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "expect_error.h"
#include "models/golden.h"
#include "models/load.h"
#include "ops/initialize.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

// f32 sums of at most 7 terms of size 1 through 7 steps of 2 layers: 7 * 14 * 2^-24 = 6e-6.
constexpr double kTolerance = 1e-5;

TEST(Forecaster, ForecastsLossAndEveryGradientEqualThoseOfPyTorch) {
  initialize();
  for (const char* cell : {"linear", "lstm", "gru"}) {
    const auto folder = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/forecast" / cell;
    const Model model = load_model(folder, {.trainable = true, .device = test_device()});
    const SafetensorsFile file = SafetensorsFile::open(folder / "golden.safetensors");
    const Tensor y = model.network->row_logits(file.tensor("x").to(test_device()), {}, {});
    EXPECT_LT(largest_difference(y, file.tensor("y")), kTolerance) << cell;
    const Tensor loss = ops::mse_loss(y, file.tensor("target").to(test_device()));
    EXPECT_LT(largest_difference(loss, file.tensor("loss")), kTolerance) << cell;
    backward(loss);
    ASSERT_EQ(model.parameters->all().size(), std::string(cell) == "linear" ? 2U : 10U);
    for (const nn::Parameter& parameter : model.parameters->all()) {
      EXPECT_LT(largest_difference(gradient_of(parameter.value), file.tensor("grad/" + parameter.name)), kTolerance)
          << cell << ' ' << parameter.name;
    }
  }
}

TEST(Forecaster, AConfigurationThatCannotBeIsRefused) {
  const auto refusal = [](const char* key, const Json& value) {
    Json json = forecaster_json();
    json.update({{"context_length", 8}, {"prediction_length", 2}, {"cell", "lstm"}, {"hidden_size", 4}});
    json[key] = value;
    return error_of([&] { forecast_config(json, "config.json"); });
  };
  EXPECT_NE(refusal("cell", "cnn").find("linear, lstm or gru, got \"cnn\""), std::string::npos);
  EXPECT_NE(refusal("seasonality", 9).find("one season, 9, got 8"), std::string::npos);
  EXPECT_NE(refusal("series_scale", 0).find("series_scale"), std::string::npos);
  EXPECT_NE(refusal("prediction_length", 0).find("prediction_length"), std::string::npos);
}

}  // namespace
}  // namespace suanli::models
