#include "optim/optimizer.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "kernels/optimizer.h"

namespace suanli::optim {
namespace {

constexpr const char* kStep = "step";

class Adamw final : public Optimizer {
 public:
  Adamw(std::vector<nn::Parameter> parameters, const AdamwOptions& options)
      : Optimizer(std::move(parameters)), options_(options) {
    for (const nn::Parameter& parameter : parameters_) {
      first_.push_back(add_moment("first_moment", parameter));
      second_.push_back(add_moment("second_moment", parameter));
    }
  }

 protected:
  void update(size_t i, const Tensor& weight, const Tensor& gradient, double learning_rate,
              double gradient_scale) override {
    kernels::adamw_step({.weight = weight.data(),
                         .first_moment = first_[i].data(),
                         .second_moment = second_[i].data(),
                         .gradient = gradient.data(),
                         .count = weight.elements(),
                         .step = steps_,
                         .learning_rate = learning_rate,
                         .beta1 = options_.beta1,
                         .beta2 = options_.beta2,
                         .eps = options_.epsilon,
                         .weight_decay = decays(parameters_[i].name) ? options_.weight_decay : 0.0,
                         .gradient_scale = gradient_scale,
                         .dtype = weight.dtype()},
                        backend(weight.device()).default_stream());
  }

 private:
  AdamwOptions options_;
  std::vector<Tensor> first_, second_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<nn::Parameter> parameters, const SgdOptions& options)
      : Optimizer(std::move(parameters)), options_(options) {
    if (options_.momentum == 0) return;
    for (const nn::Parameter& parameter : parameters_) momentum_.push_back(add_moment("momentum", parameter));
  }

 protected:
  void update(size_t i, const Tensor& weight, const Tensor& gradient, double learning_rate,
              double gradient_scale) override {
    kernels::sgd_step({.weight = weight.data(),
                       .buffer = momentum_.empty() ? nullptr : momentum_[i].data(),
                       .gradient = gradient.data(),
                       .count = weight.elements(),
                       .first = false,  // a buffer of zeros gives the same first step
                       .learning_rate = learning_rate,
                       .momentum = options_.momentum,
                       .weight_decay = decays(parameters_[i].name) ? options_.weight_decay : 0.0,
                       .gradient_scale = gradient_scale,
                       .dtype = weight.dtype()},
                      backend(weight.device()).default_stream());
  }

 private:
  SgdOptions options_;
  std::vector<Tensor> momentum_;
};

}  // namespace

bool decays(std::string_view parameter) {
  const size_t dot = parameter.rfind('.');
  const std::string_view leaf = dot == std::string_view::npos ? parameter : parameter.substr(dot + 1);
  std::string_view module = dot == std::string_view::npos ? std::string_view() : parameter.substr(0, dot);
  module = module.substr(module.rfind('.') + 1);  // npos + 1 is 0
  return leaf != "bias" && module != "norm" && !module.ends_with("_norm") && module != "LayerNorm";
}

void Optimizer::step(double learning_rate, double gradient_scale) {
  ++steps_;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& gradient = gradient_of(parameters_[i].value);
    if (gradient.defined()) update(i, parameters_[i].value, gradient, learning_rate, gradient_scale);
  }
}

Tensor& Optimizer::add_moment(const std::string& kind, const nn::Parameter& parameter) {
  const Tensor& weight = parameter.value;
  return moments_[concat(kind, ".", parameter.name)] = Tensor::zeros(weight.shape(), weight.dtype(), weight.device());
}

StateTensors Optimizer::state() const {
  StateTensors state = moments_;
  state[kStep] = Tensor::from(std::vector<int64_t>{steps_}, {1});
  return state;
}

void Optimizer::load(const StateTensors& state) {
  const auto find = [&](const std::string& name, const Tensor& like) -> const Tensor& {
    const auto at = state.find(name);
    if (at == state.end()) throw UserError("optimizer", concat("expected the state tensor ", name, ", found none"));
    if (at->second.shape() == like.shape() && at->second.dtype() == like.dtype()) return at->second;
    throw UserError("optimizer", concat("expected ", name, " as ", name_of(like.dtype()), " ", like.shape().text(),
                                        ", got ", name_of(at->second.dtype()), " ", at->second.shape().text()));
  };
  const Tensor step = find(kStep, Tensor::zeros({1}, DType::i64));
  for (const auto& [name, moment] : moments_) find(name, moment);  // all of it, before any of it is changed
  for (const auto& [name, tensor] : state) {
    if (name != kStep && !moments_.contains(name)) {
      throw UserError("optimizer", concat("the state tensor ", name, " belongs to no parameter of this optimizer"));
    }
  }
  for (const auto& [name, moment] : moments_) moment.copy_from(state.at(name));
  steps_ = step.host<int64_t>()[0];
}

std::unique_ptr<Optimizer> adamw(std::vector<nn::Parameter> parameters, const AdamwOptions& options) {
  return std::make_unique<Adamw>(std::move(parameters), options);
}

std::unique_ptr<Optimizer> sgd(std::vector<nn::Parameter> parameters, const SgdOptions& options) {
  return std::make_unique<Sgd>(std::move(parameters), options);
}

}  // namespace suanli::optim
