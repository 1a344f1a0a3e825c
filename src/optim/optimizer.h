/// Optimizers: from gradients to new weights, with a state that a checkpoint can hold.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/optimizer.h"
#include "nn/parameters.h"

namespace suanli::optim {

/// True for weights that decay: by their names, as in Hugging Face's trainer, all but biases (bias_ih_l0, too) and the
/// weights of layers called norm or LayerNorm. Those of batch norm decay, as they do there.
bool decays(std::string_view parameter);

/// State tensors by name, such as "first_moment.layer.0.up.weight".
using StateTensors = std::map<std::string, Tensor>;

/// What a step did, as far as the host wants to know.
struct StepReport {
  double gradient_norm = 0;  ///< before clipping, without the loss scale
  std::string not_finite;  ///< the first parameter whose gradient is not finite, or "loss"; empty: none, it was updated
};

/// Updates parameters in place, clipped by their global norm. State is f32; gradients are those on the tape. A step is
/// three calls, so that all that lies between the first and the last only queues work: the device computes norm and
/// factor and leaves everything as it is where a gradient or a loss is not finite.
class Optimizer {
 public:
  explicit Optimizer(std::vector<nn::Parameter> parameters);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Brings what changes from step to step to the device. Gradients will be `loss_scale` times too large.
  void prepare(double learning_rate, double loss_scale = 1);
  /// The loss scale of prepare() on the device, [1] f32: where the backward pass of a step begins.
  const Tensor& loss_scale() const { return loss_scale_; }
  /// Queues one update of every parameter that has a gradient, scaled down to the global norm `max_norm` (0: as they
  /// are). `losses`: undefined or [any] f32, which must be finite for an update. Nothing here waits.
  void update(double max_norm, const Tensor& losses = {});
  /// Waits for the device and counts the step where it was done.
  StepReport finish();
  /// The three in one.
  StepReport step(double learning_rate, double max_norm) {
    prepare(learning_rate);
    update(max_norm);
    return finish();
  }

  /// Steps done.
  int64_t steps() const { return steps_; }
  /// The state, sharing storage: moments by name and "step", [1] i64.
  StateTensors state() const;
  /// Takes a copy of a state. Throws UserError when a tensor is missing, left over or of another shape, naming it.
  void load(const StateTensors& state);

 protected:
  /// f32 zeros in the shape of a parameter, part of the state.
  Tensor add_moment(const std::string& kind, const nn::Parameter& parameter);
  /// What kernels are told of step `step` >= 1.
  virtual kernels::StepScalars scalars(double learning_rate, int64_t step) const;
  /// Queues the update of the parameters `which`, whose gradients are there.
  virtual void apply(std::span<const size_t> which, const kernels::StepScalars* scalars, const double* factor) = 0;

  std::vector<nn::Parameter> parameters_;

 private:
  StateTensors moments_;
  int64_t steps_ = 0;
  std::vector<size_t> with_gradient_;  ///< parameters of the last update
  Tensor scalars_, loss_scale_;        ///< on the device, at the same place for the optimizer's life
  Tensor report_;                      ///< f64: norm, factor, the sum of squares of each parameter with a gradient
};

struct AdamwOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  uint64_t seed = 0;  ///< of the stochastic rounding of weights that are bf16
};

/// AdamW (Loshchilov and Hutter 2019), torch.optim.AdamW's update; see kernels/optimizer.h. State: first_moment and
/// second_moment of each parameter.
std::unique_ptr<Optimizer> adamw(std::vector<nn::Parameter> parameters, const AdamwOptions& options);

struct SgdOptions {
  double momentum = 0, weight_decay = 0;
};

/// Stochastic gradient descent, torch.optim.SGD's update. State: the momentum of each parameter where it is not 0.
std::unique_ptr<Optimizer> sgd(std::vector<nn::Parameter> parameters, const SgdOptions& options);

}  // namespace suanli::optim
