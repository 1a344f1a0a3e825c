/// LSTM, GRU and RNN classifiers of two layers against PyTorch in f32: states, logits, loss and every gradient.
#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "models/golden.h"
#include "ops/initialize.h"
#include "ops/loss.h"

namespace suanli::models {
namespace {

class Recurrent : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { initialize(); }
  static std::filesystem::path folder() {
    return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/recurrent" / GetParam();
  }
  static Model load(bool trainable) {
    return load_model(folder(),
                      {.head = Head::sequence_classification, .trainable = trainable, .device = test_device()});
  }
  static SafetensorsFile golden() { return SafetensorsFile::open(folder() / "golden.safetensors"); }
};

constexpr double kTolerance = 1e-5;  // f32 sums of at most 32 terms through 12 steps of cells that contract

TEST_P(Recurrent, StatesAndLogitsAreThoseOfPyTorch) {
  const Model model = load(false);
  const SafetensorsFile file = golden();
  const PackedSequences batch = golden_batch(file, "", 0, 3);
  EXPECT_TRUE(model.initialized.empty());
  EXPECT_LT(largest_difference(model.network->hidden_states(batch, {}), file.tensor("hidden")), kTolerance);
  EXPECT_LT(largest_difference(model.network->sequence_logits(batch, {}), file.tensor("logits")), kTolerance);
}

TEST_P(Recurrent, LossAndEveryGradientAreThoseOfPyTorch) {
  const Model model = load(true);
  const SafetensorsFile file = golden();
  const Tensor labels = golden_labels(file, "", "text-classification", 0, 3);
  const Tensor loss = ops::cross_entropy(model.network->sequence_logits(golden_batch(file, "", 0, 3), {}), labels);
  EXPECT_NEAR(loss.to({}).host<float>()[0], file.tensor("loss").host<float>()[0], kTolerance);
  backward(loss);
  size_t compared = 0, stored = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    for (const auto& [name, ours] : named_gradients(model, parameter, gradient_of(parameter.value))) {
      ASSERT_NE(file.find("grad/" + name), nullptr) << name;
      EXPECT_LT(relative_distance(ours, file.tensor("grad/" + name)), kTolerance) << name;
      ++compared;
    }
  }
  for (const auto& entry : file.entries()) stored += entry.name.starts_with("grad/") ? 1 : 0;
  EXPECT_EQ(compared, stored) << "every gradient of the golden file has its parameter here";
}

// A sequence gives the same states whatever stands beside it: no padding, no mixing of sequences.
TEST_P(Recurrent, ASequenceAloneGivesTheSameAsInABatch) {
  const Model model = load(false);
  const SafetensorsFile file = golden();
  const Tensor together = model.network->hidden_states(golden_batch(file, "", 0, 3), {});
  const auto bounds = file.tensor("offsets").host<int32_t>();
  for (int32_t b = 0; b < 3; ++b) {
    const Tensor alone = model.network->hidden_states(golden_batch(file, "", b, b + 1), {});
    const Tensor rows = together.rows(bounds[static_cast<size_t>(b)], bounds[static_cast<size_t>(b) + 1]);
    EXPECT_LT(largest_difference(alone, rows), 1e-6) << "sequence " << b;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Recurrent, testing::Values("lstm", "gru", "rnn"));

TEST(RecurrentConfig, WhatItCannotBeIsTheUsersErrorThatNamesTheKey) {
  const Json good = {{"model_type", "rnn"}, {"vocab_size", 9}, {"hidden_size", 4}};
  EXPECT_EQ(read_family(good, "config.json")->config().hidden_size, 4);
  const std::pair<const char*, Json> broken[] = {{"nonlinearity", "gelu"}, {"pooling", "max"}, {"num_layers", 0},
                                                 {"dropout", 1.5},         {"hidden_size", 0}, {"embedding_dim", -1}};
  for (const auto& [key, value] : broken) {
    Json json = good;
    json[key] = value;
    try {
      read_family(json, "config.json");
      ADD_FAILURE() << key;
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace suanli::models
