/// Models whose encoder layers are held in 8 bits, beside the same models in f32.
#include <gtest/gtest.h>

#include "base/error.h"
#include "models/golden.h"
#include "ops/initialize.h"

namespace suanli::models {
namespace {

class Int8 : public testing::TestWithParam<GoldenCase> {
 protected:
  void SetUp() override { initialize(); }
  Model load(bool int8, bool trainable = false) const {
    return load_model(GetParam().folder(), {.head = GetParam().head(), .trainable = trainable, .int8 = int8});
  }
};

// Each of the two layers rounds its inputs and weights to steps of 1/127 of the largest, on average by 1/500 of it:
// sums of independent errors stay near 1% of the hidden states (of size 1).
TEST_P(Int8, HiddenStatesStayNearThoseOfF32) {
  const SafetensorsFile file = SafetensorsFile::open(GetParam().folder() / "golden.safetensors");
  const PackedSequences batch = golden_batch(file, "", 0, 3);
  const Model model = load(true);
  const Tensor expected = file.tensor("hidden"), got = model.network->hidden_states(batch, {});
  EXPECT_LT(relative_distance(got, expected), 0.03);
  EXPECT_GT(relative_distance(got, expected), 1e-4) << "8 bits leave a trace";
}

TEST_P(Int8, TheHeadKeepsItsFloats) {
  for (const nn::Parameter& parameter : load(true).parameters->all()) {
    const bool encoder_matrix = parameter.name.starts_with("layer.") && parameter.value.shape().rank() == 2;
    EXPECT_FALSE(encoder_matrix) << parameter.name;
    EXPECT_EQ(parameter.value.dtype(), DType::f32) << parameter.name;
  }
}

TEST_P(Int8, CountsEveryElementOfTheModel) {
  EXPECT_EQ(load(true).parameters->elements(), load(false).parameters->elements());
}

TEST_P(Int8, TrainingIsRefused) { EXPECT_THROW(load(true, true), UserError); }

INSTANTIATE_TEST_SUITE_P(Families, Int8, testing::ValuesIn(golden_cases()),
                         [](const auto& info) { return info.param.test_name(); });

}  // namespace
}  // namespace suanli::models
