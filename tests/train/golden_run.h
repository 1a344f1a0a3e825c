/// A short training run without dropout, as tests/golden/models/golden_common.py has it: AdamW, clipping at norm 1,
/// linear schedule with warm-up.
#pragma once

#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "formats/safetensors.h"
#include "models/load.h"
#include "ops/loss.h"
#include "optim/gradients.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace suanli {

struct GoldenRunOptions {
  double learning_rate = 0, weight_decay = 0;
  int64_t steps = 20, warmup = 3;
};

/// Per step: the loss before the update, the gradient norm before clipping, the rate of the update.
struct GoldenRun {
  std::vector<double> losses, gradient_norms, learning_rates;
};

/// Trains `model`; `loss_of` gives the loss of a step's batch.
inline GoldenRun golden_run(const models::Model& model, const GoldenRunOptions& options,
                            const std::function<Tensor(int32_t step)>& loss_of) {
  const auto optimizer = optim::adamw(model.parameters->all(), {.weight_decay = options.weight_decay});
  const optim::Schedule schedule = {
      .kind = "linear", .peak = options.learning_rate, .warmup = options.warmup, .total = options.steps};
  GoldenRun run;
  for (int32_t step = 0; step < options.steps; ++step) {
    const Tensor loss = loss_of(step);
    backward(loss);
    run.losses.push_back(loss.to({}).host<float>()[0]);
    run.learning_rates.push_back(schedule.learning_rate(step));
    run.gradient_norms.push_back(optimizer->step(run.learning_rates.back(), 1).gradient_norm);
    optim::clear_gradients(model.parameters->all());
  }
  return run;
}

/// Expects the losses, gradient norms and learning rates stored as `name`_loss and so on.
///
/// What is stored lies within 6e-7 (relative) of the same run in f64: twenty updates do not blow rounding up, and sums
/// in another order come to errors of that size again. The promise is 1e-4. For the losses 1e-5 leaves six times the
/// largest distance of any instruction set, and sees a missing weight decay even where it matters least (2e-5). PyTorch
/// sums the squares of a gradient in f32, which by itself moves the norm of 22.7M elements by 8e-6.
inline void expect_golden_run(const GoldenRun& run, const SafetensorsFile& golden, const std::string& name) {
  constexpr double kLossTolerance = 1e-5, kNormTolerance = 5e-5;
  const Tensor losses = golden.tensor(name + "_loss"), norms = golden.tensor(name + "_grad_norm"),
               rates = golden.tensor(name + "_learning_rate");
  ASSERT_EQ(static_cast<int64_t>(run.losses.size()), losses.elements());
  for (size_t step = 0; step < run.losses.size(); ++step) {
    const double loss = losses.host<float>()[step], norm = norms.host<float>()[step];
    EXPECT_NEAR(run.losses[step], loss, kLossTolerance * loss) << name << ", loss of step " << step;
    EXPECT_NEAR(run.gradient_norms[step], norm, kNormTolerance * norm) << name << ", gradient norm of step " << step;
    EXPECT_DOUBLE_EQ(run.learning_rates[step], rates.host<double>()[step]) << name << ", rate of step " << step;
  }
}

}  // namespace suanli
