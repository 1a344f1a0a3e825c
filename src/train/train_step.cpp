#include "train/train_step.h"

#include <cmath>
#include <optional>
#include <vector>

#include "autograd/tape.h"
#include "base/profile.h"
#include "dist/gradient_sum.h"
#include "optim/gradients.h"

namespace suanli {
namespace {

/// Queues forward and backward of each micro batch and the update; returns their losses.
Tensor queue_step(const Task& task, const StepInputs& inputs, const uint32_t* numbers, const models::Model& model,
                  optim::Optimizer& optimizer, const StepOptions& options) {
  const auto count = static_cast<int64_t>(inputs.micro_batches.size());
  // Ranks without a loss have zeros for it.
  Tensor losses =
      Tensor::zeros({options.ranks == nullptr ? count : inputs.losses}, DType::f32, optimizer.loss_scale().device());
  std::optional<dist::GradientSum> sums;
  if (options.ranks != nullptr) sums.emplace(*options.ranks, model.parameters->trained());
  const bool penalty = options.penalty && (options.ranks == nullptr || options.ranks->rank() == 0);
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
    const auto pass = [&] { backward(loss, optimizer.loss_scale()); };
    if (sums && i == count - 1 && !penalty) {
      sums->during(pass);
    } else {
      pass();
    }
  }
  if (penalty) backward(options.penalty(), optimizer.loss_scale());
  if (sums) {
    const ProfileScope scope("sum gradients");
    sums->finish(losses);
  }
  const ProfileScope scope("optimizer");
  optimizer.update(options.max_grad_norm, losses);
  optim::clear_gradients(model.parameters->trained());
  return losses;
}

/// The counts of all ranks instead of this one's.
void count_all(dist::Communicator& ranks, StepResult* result) {
  const std::vector<int64_t> all = ranks.gather(std::vector<int64_t>{result->items, result->tokens, result->sequences});
  *result = {};
  for (size_t i = 0; i < all.size(); i += 3) {
    result->items += all[i];
    result->tokens += all[i + 1];
    result->sequences += all[i + 2];
  }
}

}  // namespace

StepResult train_step(const Task& task, std::span<const Batch> micro_batches, const models::Model& model,
                      optim::Optimizer& optimizer, const StepOptions& options, StepGraphs* graphs) {
  StepResult result;
  StepInputs inputs;
  std::vector<int32_t> numbers;
  // Each share of a micro batch has a place of its own in the random stream.
  const auto parts = static_cast<uint32_t>(options.ranks == nullptr ? 1 : options.ranks->size());
  uint32_t number = options.first_micro_step * parts;
  if (options.ranks != nullptr) number += static_cast<uint32_t>(options.ranks->rank());
  for (const Batch& batch : micro_batches) {
    const int64_t items = task.items(batch);
    if (items > 0) {
      inputs.micro_batches.push_back(task.inputs(batch));
      numbers.push_back(static_cast<int32_t>(number));
    }
    number += parts;
    result.items += items;
    result.tokens += batch.tokens();
    result.sequences += batch.size();
  }
  if (options.ranks != nullptr) count_all(*options.ranks, &result);
  if (result.items == 0) return result;
  inputs.items = result.items;
  inputs.losses = static_cast<int64_t>(micro_batches.size());
  inputs.numbers = Tensor::from(numbers, {static_cast<int64_t>(numbers.size())});
  inputs.numbers.make_constant();

  optimizer.prepare(options.learning_rate, options.loss_scale);
  const auto queue = [&](const StepInputs& of, const uint32_t* on_device) {
    return queue_step(task, of, on_device, model, optimizer, options);
  };
  const std::optional<Tensor> replayed = graphs == nullptr ? std::nullopt : graphs->run(inputs, queue);
  const Tensor losses = replayed ? *replayed : queue(inputs, nullptr);
  if (options.ranks != nullptr) options.ranks->wait();
  // The only place where the host waits for the device; for other ranks it waits above, where it watches them.
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
