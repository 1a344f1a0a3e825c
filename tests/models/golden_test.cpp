/// Models against PyTorch and transformers in f32: hidden states, logits, loss and every gradient.
#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "models/golden.h"
#include "ops/initialize.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

class Golden : public testing::TestWithParam<GoldenCase> {
 protected:
  void SetUp() override { initialize(); }
  Model load(bool trainable) const {
    return load_model(GetParam().folder(),
                      {.head = GetParam().head(), .trainable = trainable, .device = test_device()});
  }
  SafetensorsFile golden() const { return SafetensorsFile::open(GetParam().folder() / "golden.safetensors"); }
};

// f32 sums of at most 120 terms of size 1 in another order: 120 * 2^-24 = 7e-6, doubled by the second layer.
constexpr double kForwardTolerance = 2e-5;

TEST_P(Golden, HiddenStatesAndLogitsAgree) {
  const Model model = load(false);
  const SafetensorsFile file = golden();
  const PackedSequences batch = golden_batch(file, "", 0, 3);
  EXPECT_TRUE(model.initialized.empty());
  EXPECT_LT(largest_difference(model.network->hidden_states(batch, {}), file.tensor("hidden")), kForwardTolerance);
  EXPECT_LT(largest_difference(golden_logits(model, batch, {}), file.tensor("logits")), kForwardTolerance);
}

TEST_P(Golden, LossAndEveryGradientAgree) {
  const Model model = load(true);
  const SafetensorsFile file = golden();
  const Tensor labels = golden_labels(file, "", GetParam().task, 0, 3);
  const Tensor loss = ops::cross_entropy(golden_logits(model, golden_batch(file, "", 0, 3), {}), labels);
  EXPECT_NEAR(loss.to({}).host<float>()[0], file.tensor("loss").host<float>()[0], 1e-5);
  backward(loss);

  size_t compared = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    ASSERT_TRUE(gradient_of(parameter.value).defined()) << parameter.name;
    for (const auto& [name, ours] : named_gradients(model, parameter, gradient_of(parameter.value))) {
      ASSERT_NE(file.find("grad/" + name), nullptr) << name;
      const Tensor expected = file.tensor("grad/" + name);
      // Softmax does not see a constant added to a row of scores: a key bias has gradient 0 up to rounding.
      if (norm(expected) < 1e-6) {
        EXPECT_LT(norm(ours), 1e-6) << name;
      } else {
        EXPECT_LT(relative_distance(ours, expected), 1e-4) << name;
      }
      ++compared;
    }
  }
  size_t stored = 0;
  for (const auto& entry : file.entries()) stored += entry.name.starts_with("grad/") ? 1 : 0;
  EXPECT_EQ(compared, stored) << "every gradient of the golden file has its parameter here";
}

TEST_P(Golden, RecomputeGivesTheSameBits) {
  const SafetensorsFile file = golden();
  const PackedSequences batch = golden_batch(file, "", 0, 3);
  const Tensor labels = golden_labels(file, "", GetParam().task, 0, 3);
  const nn::Mode mode{.training = true, .seed = 3, .step = 5};  // dropout on: the masks must come again
  std::vector<Model> models;
  for (const bool checkpointing : {false, true}) {
    models.push_back(load(true));
    models.back().network->set_gradient_checkpointing(checkpointing);
    backward(ops::cross_entropy(golden_logits(models.back(), batch, mode), labels));
  }
  for (size_t i = 0; i < models[0].parameters->all().size(); ++i) {
    const Tensor &a = gradient_of(models[0].parameters->all()[i].value),
                 &b = gradient_of(models[1].parameters->all()[i].value);
    EXPECT_EQ(largest_difference(a, b), 0) << models[0].parameters->all()[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Golden, testing::ValuesIn(golden_cases()),
                         [](const auto& info) { return info.param.test_name(); });

INSTANTIATE_TEST_SUITE_P(CausalModels, Golden, testing::ValuesIn(causal_cases()),
                         [](const auto& info) { return info.param.test_name(); });

// What is computed token by token over a cache is what the whole sequence gives.
TEST_P(Golden, CacheGivesTheLogitsOfWholeSequences) {
  if (GetParam().head() != Head::causal_lm) return;
  const Model model = load(false);
  const SafetensorsFile file = golden();
  const auto bounds = file.tensor("offsets").host<int32_t>();
  const auto ids = file.tensor("ids").host<int32_t>();
  const auto vocabulary = model.config().vocab_size;
  TokenCache cache = model.network->new_cache(3, 12, DType::f32);
  for (int32_t place = 0; place < 12; place += place == 0 ? 3 : 1) {  // the first three at once, then one by one
    std::vector<int32_t> new_ids, positions, offsets = {0}, sources;
    for (size_t b = 0; b < 3; ++b) {
      for (int32_t t = place; t < (place == 0 ? 3 : place + 1) && bounds[b] + t < bounds[b + 1]; ++t) {
        sources.push_back(bounds[b] + t);
        new_ids.push_back(ids[static_cast<size_t>(bounds[b] + t)]);
        positions.push_back(t);
      }
      offsets.push_back(static_cast<int32_t>(new_ids.size()));
    }
    std::vector<int32_t> rows(new_ids.size());
    std::iota(rows.begin(), rows.end(), 0);
    const auto batch = pack(new_ids, std::vector<int32_t>(new_ids.size()), positions, offsets);
    const Tensor logits =
        model.network->next_token_logits(batch, Tensor::from(rows, {static_cast<int64_t>(rows.size())}), {}, &cache);
    for (size_t row = 0; row < sources.size(); ++row) {
      const auto from = static_cast<int64_t>(row);
      const Tensor expected = file.tensor("logits").rows(sources[row], sources[row] + 1);
      ASSERT_EQ(expected.elements(), vocabulary);
      EXPECT_LT(largest_difference(logits.rows(from, from + 1), expected), kForwardTolerance)
          << "token " << sources[row];
    }
  }
}

}  // namespace
}  // namespace suanli::models
