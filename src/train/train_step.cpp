#include "train/train_step.h"

#include <cmath>

#include "autograd/tape.h"
#include "base/profile.h"
#include "optim/gradients.h"

namespace suanli {
namespace {

Tensor forward(const Task& task, const Batch& batch, const nn::Mode& mode, int64_t items) {
  const ProfileScope scope("forward");
  return task.loss(batch, mode, static_cast<double>(items));
}

}  // namespace

StepResult train_step(const Task& task, std::span<const Batch> micro_batches, const models::Model& model,
                      optim::Optimizer& optimizer, const StepOptions& options) {
  const std::span<const nn::Parameter> parameters = model.parameters->all();
  StepResult result;
  for (const Batch& batch : micro_batches) {
    result.items += task.items(batch);
    result.tokens += batch.tokens();
    result.sequences += batch.size();
  }
  if (result.items == 0) return result;

  optimizer.prepare(options.learning_rate, options.loss_scale);
  const auto micro_steps = static_cast<int64_t>(micro_batches.size());
  const Tensor losses = Tensor::zeros({micro_steps}, DType::f32, optimizer.loss_scale().device());
  nn::Mode mode = {.training = true, .dtype = options.dtype, .seed = options.seed, .step = options.first_micro_step};
  for (int64_t i = 0; i < micro_steps; ++i, ++mode.step) {
    const Batch& batch = micro_batches[static_cast<size_t>(i)];
    if (task.items(batch) == 0) continue;
    const Tensor loss = forward(task, batch, mode, result.items);
    losses.rows(i, i + 1).copy_from(loss);
    const ProfileScope scope("backward");
    backward(loss, optimizer.loss_scale());
  }
  const ProfileScope scope("optimizer");
  optimizer.update(options.max_grad_norm, losses);
  optim::clear_gradients(parameters);
  // The only place where the host waits for the device.
  const optim::StepReport report = optimizer.finish();
  const Tensor host = losses.to({});
  for (const float loss : host.host<float>()) result.loss += loss;
  result.gradient_norm = report.gradient_norm;
  result.not_finite = report.not_finite;
  if (!std::isfinite(result.loss)) {
    // It comes from the weights or from the computation: the first bad weight is the better name.
    const std::string weight = optim::first_not_finite(parameters);
    result.not_finite = weight.empty() ? "loss" : weight;
  }
  return result;
}

}  // namespace suanli
