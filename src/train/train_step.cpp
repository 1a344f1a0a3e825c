#include "train/train_step.h"

#include <cmath>
#include <optional>
#include <vector>

#include "autograd/tape.h"
#include "base/profile.h"
#include "optim/gradients.h"

namespace suanli {
namespace {

/// Queues forward and backward of each micro batch and the update; returns their losses.
Tensor queue_step(const Task& task, const StepInputs& inputs, const uint32_t* numbers, const models::Model& model,
                  optim::Optimizer& optimizer, const StepOptions& options) {
  const auto count = static_cast<int64_t>(inputs.micro_batches.size());
  Tensor losses = Tensor::zeros({count}, DType::f32, optimizer.loss_scale().device());
  for (int64_t i = 0; i < count; ++i) {
    const nn::Mode mode = {.training = true,
                           .dtype = options.dtype,
                           .seed = options.seed,
                           .step = static_cast<uint32_t>(inputs.numbers.host<int32_t>()[static_cast<size_t>(i)]),
                           .step_on_device = numbers == nullptr ? nullptr : numbers + i};
    const auto forward = [&] {
      const ProfileScope scope("forward");
      return task.loss(inputs.micro_batches[static_cast<size_t>(i)], mode, static_cast<double>(inputs.items));
    };
    const Tensor loss = forward();
    losses.rows(i, i + 1).copy_from(loss);
    const ProfileScope scope("backward");
    backward(loss, optimizer.loss_scale());
  }
  if (options.penalty) backward(options.penalty(), optimizer.loss_scale());
  const ProfileScope scope("optimizer");
  optimizer.update(options.max_grad_norm, losses);
  optim::clear_gradients(model.parameters->trained());
  return losses;
}

}  // namespace

StepResult train_step(const Task& task, std::span<const Batch> micro_batches, const models::Model& model,
                      optim::Optimizer& optimizer, const StepOptions& options, StepGraphs* graphs) {
  StepResult result;
  StepInputs inputs;
  std::vector<int32_t> numbers;
  uint32_t number = options.first_micro_step;
  for (const Batch& batch : micro_batches) {
    const int64_t items = task.items(batch);
    if (items > 0) {
      inputs.micro_batches.push_back(task.inputs(batch));
      numbers.push_back(static_cast<int32_t>(number));
    }
    ++number;
    result.items += items;
    result.tokens += batch.tokens();
    result.sequences += batch.size();
  }
  if (result.items == 0) return result;
  inputs.items = result.items;
  inputs.numbers = Tensor::from(numbers, {static_cast<int64_t>(numbers.size())});
  inputs.numbers.make_constant();

  optimizer.prepare(options.learning_rate, options.loss_scale);
  const auto queue = [&](const StepInputs& of, const uint32_t* on_device) {
    return queue_step(task, of, on_device, model, optimizer, options);
  };
  const std::optional<Tensor> replayed = graphs == nullptr ? std::nullopt : graphs->run(inputs, queue);
  const Tensor losses = replayed ? *replayed : queue(inputs, nullptr);
  // The only place where the host waits for the device.
  const optim::StepReport report = optimizer.finish();
  const Tensor host = losses.to({});
  for (const float loss : host.host<float>()) result.loss += loss;
  result.gradient_norm = report.gradient_norm;
  result.not_finite = report.not_finite;
  if (!std::isfinite(result.loss)) {
    // It comes from the weights or from the computation: the first bad weight is the better name.
    const std::string weight = optim::first_not_finite(model.parameters->all());
    result.not_finite = weight.empty() ? "loss" : weight;
  }
  return result;
}

}  // namespace suanli
