#include "train/train_step.h"

#include <cmath>

#include "autograd/tape.h"
#include "base/profile.h"
#include "kernels/optimizer.h"
#include "optim/gradients.h"

namespace suanli {
namespace {

/// A loss that is not finite comes from the weights or from the computation: the first bad weight is the better name.
std::string first_bad_weight(std::span<const nn::Parameter> parameters) {
  for (const nn::Parameter& parameter : parameters) {
    const Tensor& w = parameter.value;
    const Tensor squares = Tensor::empty({1}, DType::f64, w.device());
    kernels::sum_of_squares({w.data(), static_cast<double*>(squares.data()), w.elements(), w.dtype()},
                            backend(w.device()).default_stream());
    if (!std::isfinite(squares.to(Device{}).host<double>()[0])) return parameter.name;
  }
  return "loss";
}

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

  nn::Mode mode = {.training = true, .dtype = options.dtype, .seed = options.seed, .step = options.first_micro_step};
  for (const Batch& batch : micro_batches) {
    if (task.items(batch) > 0) {
      const Tensor loss = forward(task, batch, mode, result.items);
      result.loss += loss.to(Device{}).host<float>()[0];
      if (!std::isfinite(result.loss)) break;
      const ProfileScope scope("backward");
      backward(loss);
    }
    ++mode.step;
  }
  const ProfileScope scope("optimizer");
  if (std::isfinite(result.loss)) {
    const optim::GradientNorm gradients = optim::gradient_norm(parameters);
    result.gradient_norm = gradients.norm;
    result.not_finite = gradients.not_finite;
  } else {
    result.not_finite = first_bad_weight(parameters);
  }
  if (result.not_finite.empty()) {
    optimizer.step(options.learning_rate, optim::clipping_factor(result.gradient_norm, options.max_grad_norm));
  }
  optim::clear_gradients(parameters);
  return result;
}

}  // namespace suanli
