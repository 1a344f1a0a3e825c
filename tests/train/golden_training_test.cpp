/// Twenty training steps of nine small models follow PyTorch's: model, gradients, clipping, AdamW and schedule at once.
#include <gtest/gtest.h>

#include "golden_run.h"
#include "models/golden.h"
#include "ops/initialize.h"

namespace suanli {
namespace {

using models::GoldenCase;

class GoldenTraining : public testing::TestWithParam<GoldenCase> {
 protected:
  void SetUp() override { initialize(); }

  /// Trains from the stored start; step s sees the sequences 4s to 4s+3.
  void expect_same_run(const std::string& name, const GoldenRunOptions& options) const {
    const models::Model model = models::load_model(
        GetParam().folder(), {.head = GetParam().head(), .trainable = true, .device = test_device()});
    const auto golden = SafetensorsFile::open(GetParam().folder() / "golden.safetensors");
    const GoldenRun run = golden_run(model, options, [&](int32_t step) {
      const int32_t first = 4 * step, last = first + 4;
      return ops::cross_entropy(models::golden_logits(model, models::golden_batch(golden, "train/", first, last), {}),
                                models::golden_labels(golden, "train/", GetParam().task, first, last));
    });
    expect_golden_run(run, golden, name);
  }
};

TEST_P(GoldenTraining, UsualArguments) { expect_same_run("train", {.learning_rate = 1e-3, .weight_decay = 0.01}); }

// A rate and a decay so large that a mistake in either moves the losses by 1e-3 and more.
TEST_P(GoldenTraining, StrongArguments) {
  expect_same_run("train_strong", {.learning_rate = 1e-2, .weight_decay = 0.5});
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTraining, testing::ValuesIn(models::golden_cases()),
                         [](const auto& info) { return info.param.test_name(); });

}  // namespace
}  // namespace suanli
