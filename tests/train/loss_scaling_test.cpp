// Training in f16 with dynamic loss scaling: it follows f32, an overflow changes nothing but the scale, a resumed run
// has the bits of the unbroken one.
#include <cmath>

#include <gtest/gtest.h>

#include "nn/precision.h"
#include "ops/arithmetic.h"
#include "tiny_run.h"

namespace suanli {
namespace {

struct HalfRun : TinyRun {
  HalfRun(const std::string& folder, std::vector<std::string> words, TaskWithHook::Hook hook = {})
      : TinyRun(fresh_folder(folder), std::move(words), std::move(hook)) {
    dtype = DType::f16;
  }
};

/// A hook that multiplies the loss of one call: 1e5 times the scale is far beyond 65504, the largest number of f16,
/// for the gradient of the logits, while the loss itself, which is f32, stays finite.
TaskWithHook::Hook overflow_at(int64_t when) {
  return [when](int64_t call, const Tensor& loss) { return call == when ? ops::scale(loss, 1e5F) : loss; };
}

TEST(LossScaling, F16IsForCudaDevicesAndACpuSaysSo) {
  EXPECT_EQ(nn::precision_named("f16", {DeviceType::cuda, 0}), DType::f16);
  try {
    nn::precision_named("f16", {});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("bf16 on cpu, got f16"), std::string::npos) << error.what();
  }
}

// Rounding to f16 moves every activation by at most 2^-11 of itself, at random. A loss is a mean of logs of softmaxes
// of logits below 2: through some ten roundings in a row it moves by about 10 * 2^-11 = 0.5% of a logit, and updates
// from gradients with such errors add as much again over the steps. 0.02 is twice that; learning itself moves the loss
// by 0.1 and more.
TEST(LossScaling, TwentyStepsInF16FollowF32) {
  const std::vector<std::string> words = {"max_steps=20", "logging_steps=1", "learning_rate=0.003"};
  TinyRun full(fresh_folder("f32_steps"), words);
  HalfRun half("f16_steps", words);
  const TrainResult in_f32 = full.train(), in_f16 = half.train();
  EXPECT_EQ(in_f16.state.skipped_steps, 0);
  EXPECT_EQ(in_f16.state.overflow_steps, 0);
  ASSERT_EQ(in_f16.state.log_history.size(), 21U);
  bool differs = false;
  for (size_t step = 0; step < 20; ++step) {
    const Json &a = in_f32.state.log_history[step], &b = in_f16.state.log_history[step];
    EXPECT_NEAR(a["loss"].get<double>(), b["loss"].get<double>(), 0.02) << step;
    EXPECT_NEAR(a["grad_norm"].get<double>(), b["grad_norm"].get<double>(), 0.02 * a["grad_norm"].get<double>());
    EXPECT_EQ(b["loss_scale"], 65536.0);
    differs = differs || a["loss"] != b["loss"];
  }
  EXPECT_TRUE(differs) << "f16 is not f32";
}

TEST(LossScaling, AnOverflowHalvesTheScaleLeavesTheWeightsAndTheRunGoesOn) {
  std::vector<float> before, after;
  const TinyRun* self = nullptr;
  HalfRun run("overflow", {"max_steps=6", "logging_steps=1", "max_nan_steps=1"}, [&](int64_t call, const Tensor& loss) {
    if (call == 2) before = self->weights();
    if (call == 3) after = self->weights();
    return overflow_at(2)(call, loss);
  });
  self = &run;
  const TrainResult result = run.train();
  EXPECT_EQ(result.outcome, Outcome::finished) << "max_nan_steps does not count overflows";
  EXPECT_EQ(before, after);
  EXPECT_NE(run.weights(), after);
  EXPECT_EQ(result.state.overflow_steps, 1);
  EXPECT_EQ(result.state.skipped_steps, 0);
  EXPECT_EQ(result.state.scaler, (optim::LossScaler{32768, 3}));
  EXPECT_EQ(result.state.log_history[1]["loss_scale"], 65536.0);
  EXPECT_EQ(result.state.log_history[2]["loss_scale"], 32768.0);
  EXPECT_EQ(result.state.log_history[2]["overflow_steps"], 1.0);
  EXPECT_GT(result.state.log_history[2]["loss"].get<double>(), 1e4) << "the loss of the log has no scale";
}

TEST(LossScaling, WhatOverflowsAtTheFloorOrHasNoFiniteLossEndsTheRun) {
  HalfRun floor("floor", {"max_steps=100", "max_nan_steps=3"},
                [](int64_t, const Tensor& loss) { return ops::scale(loss, 1e9F); });
  const TrainResult result = floor.train();
  EXPECT_EQ(result.outcome, Outcome::not_finite);
  EXPECT_EQ(result.state.overflow_steps, 16) << "from 2^16 to 1";
  EXPECT_EQ(result.state.skipped_steps, 3);
  HalfRun loss("bad_loss", {"max_steps=100", "max_nan_steps=3"},
               [](int64_t, const Tensor& loss) { return ops::scale(loss, NAN); });
  EXPECT_EQ(loss.train().state.global_step, 3);
}

TEST(LossScaling, AResumedRunHasTheBitsOfTheUnbrokenOne) {
  const std::vector<std::string> words = {"max_steps=8", "save_strategy=steps", "save_steps=1", "logging_steps=3"};
  HalfRun unbroken("f16_unbroken", words, overflow_at(2));
  const TrainResult whole = unbroken.train();
  EXPECT_EQ(whole.state.overflow_steps, 1);
  for (const int64_t step : {2, 3, 5}) {
    const auto checkpoint = unbroken.arguments.output_dir / ("checkpoint-" + std::to_string(step));
    std::vector<std::string> more = words;
    more.insert(more.end(), {"resume_from_checkpoint=" + checkpoint.string(), "save_steps=100"});
    HalfRun run("f16_resumed", more, overflow_at(2 - step));
    const TrainResult resumed = run.train();
    EXPECT_EQ(run.weights(), unbroken.weights()) << "from step " << step;
    EXPECT_EQ(resumed.state.scaler, whole.state.scaler);
    EXPECT_EQ(resumed.state.overflow_steps, 1);
    const auto bytes = [](const TinyRun& of) {
      return read_file(of.arguments.output_dir / "checkpoint-8" / "optimizer.safetensors");
    };
    EXPECT_EQ(bytes(run), bytes(unbroken));
  }
}

}  // namespace
}  // namespace suanli
