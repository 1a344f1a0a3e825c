/// Optimizers: from gradients to new weights, with a state that a checkpoint can hold.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nn/parameters.h"

namespace suanli::optim {

/// True for weights that decay: all but biases and the weights of normalisations, as Hugging Face's trainer has it.
bool decays(std::string_view parameter);

/// State tensors by name, such as "first_moment.layer.0.up.weight".
using StateTensors = std::map<std::string, Tensor>;

/// Updates parameters in place. Weights and state are f32; gradients are those on the tape.
class Optimizer {
 public:
  explicit Optimizer(std::vector<nn::Parameter> parameters) : parameters_(std::move(parameters)) {}
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of every parameter that has a gradient, with its gradient times `gradient_scale`.
  void step(double learning_rate, double gradient_scale);
  /// Steps done.
  int64_t steps() const { return steps_; }
  /// The state, sharing storage: moments by name and "step", [1] i64.
  StateTensors state() const;
  /// Takes a copy of a state. Throws UserError when a tensor is missing, left over or of another shape, naming it.
  void load(const StateTensors& state);

 protected:
  /// Moments of parameter `i` start at zero.
  Tensor& add_moment(const std::string& kind, const nn::Parameter& parameter);
  virtual void update(size_t i, const Tensor& weight, const Tensor& gradient, double learning_rate,
                      double gradient_scale) = 0;

  std::vector<nn::Parameter> parameters_;
  int64_t steps_ = 0;

 private:
  StateTensors moments_;
};

struct AdamwOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
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
