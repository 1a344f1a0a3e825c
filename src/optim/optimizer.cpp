#include "optim/optimizer.h"

#include <cmath>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"

namespace suanli::optim {
namespace {

constexpr const char* kStep = "step";
constexpr int64_t kScalars = sizeof(kernels::StepScalars) / sizeof(double);

Device device_of(std::span<const nn::Parameter> parameters) {
  return parameters.empty() ? Device{} : parameters.front().value.device();
}
Stream& stream_of(std::span<const nn::Parameter> parameters) { return backend(device_of(parameters)).default_stream(); }

class Adamw final : public Optimizer {
 public:
  Adamw(std::vector<nn::Parameter> parameters, const AdamwOptions& options)
      : Optimizer(std::move(parameters)), options_(options) {
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const nn::Parameter& parameter = parameters_[i];
      const Tensor first = add_moment("first_moment", parameter), second = add_moment("second_moment", parameter);
      tensors_.push_back({.weight = parameter.value.data(),
                          .first_moment = first.data(),
                          .second_moment = second.data(),
                          .gradient = nullptr,
                          .count = parameter.value.elements(),
                          .weight_decay = decays(parameter.name) ? options_.weight_decay : 0.0,
                          .dtype = parameter.value.dtype(),
                          .site = kRoundingSite + static_cast<uint32_t>(i)});
    }
  }

 protected:
  kernels::StepScalars scalars(double learning_rate, int64_t step) const override {
    const auto power = static_cast<double>(step);
    kernels::StepScalars now = Optimizer::scalars(learning_rate, step);
    now.rate = learning_rate / (1 - std::pow(options_.beta1, power));
    now.correction = std::sqrt(1 - std::pow(options_.beta2, power));
    return now;
  }

  void apply(std::span<const size_t> which, const kernels::StepScalars* scalars, const double* factor) override {
    std::vector<kernels::AdamwTensor> tensors;
    for (const size_t i : which) tensors.emplace_back(tensors_[i]).gradient = gradient_of(parameters_[i].value).data();
    kernels::adamw_step({.tensors = tensors,
                         .scalars = scalars,
                         .factor = factor,
                         .beta1 = options_.beta1,
                         .beta2 = options_.beta2,
                         .eps = options_.epsilon,
                         .seed = options_.seed,
                         .dtype = DType::f32},
                        stream_of(parameters_));
  }

 private:
  static constexpr uint32_t kRoundingSite = 0x41440000;  // apart from the sites of dropout, which count from 1
  AdamwOptions options_;
  std::vector<kernels::AdamwTensor> tensors_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<nn::Parameter> parameters, const SgdOptions& options)
      : Optimizer(std::move(parameters)), options_(options) {
    for (const nn::Parameter& parameter : parameters_) {
      if (parameter.value.dtype() != DType::f32) {
        throw UserError("sgd", concat("expected f32 weights, got ", name_of(parameter.value.dtype()), " for ",
                                      parameter.name, "; adamw alone rounds stochastically"));
      }
      tensors_.push_back({.weight = parameter.value.data(),
                          .buffer = options_.momentum == 0 ? nullptr : add_moment("momentum", parameter).data(),
                          .gradient = nullptr,
                          .count = parameter.value.elements(),
                          .weight_decay = decays(parameter.name) ? options_.weight_decay : 0.0});
    }
  }

 protected:
  void apply(std::span<const size_t> which, const kernels::StepScalars* scalars, const double* factor) override {
    std::vector<kernels::SgdTensor> tensors;
    for (const size_t i : which) tensors.emplace_back(tensors_[i]).gradient = gradient_of(parameters_[i].value).data();
    kernels::sgd_step(
        {.tensors = tensors, .scalars = scalars, .factor = factor, .momentum = options_.momentum, .dtype = DType::f32},
        stream_of(parameters_));
  }

 private:
  SgdOptions options_;
  std::vector<kernels::SgdTensor> tensors_;
};

}  // namespace

bool decays(std::string_view parameter) {
  const size_t dot = parameter.rfind('.');
  const std::string_view leaf = dot == std::string_view::npos ? parameter : parameter.substr(dot + 1);
  std::string_view module = dot == std::string_view::npos ? std::string_view() : parameter.substr(0, dot);
  module = module.substr(module.rfind('.') + 1);  // npos + 1 is 0
  return leaf.find("bias") == std::string_view::npos && module != "norm" && !module.ends_with("_norm") &&
         module != "LayerNorm";
}

Optimizer::Optimizer(std::vector<nn::Parameter> parameters) : parameters_(std::move(parameters)) {
  const Device device = device_of(parameters_);
  scalars_ = Tensor::empty({kScalars}, DType::f64, device);
  loss_scale_ = Tensor::empty({1}, DType::f32, device);
  report_ = Tensor::empty({2 + static_cast<int64_t>(parameters_.size())}, DType::f64, device);
}

kernels::StepScalars Optimizer::scalars(double learning_rate, int64_t step) const {
  return {.learning_rate = learning_rate, .step = static_cast<double>(step)};
}

void Optimizer::prepare(double learning_rate, double loss_scale) {
  kernels::StepScalars now = scalars(learning_rate, steps_ + 1);
  now.unscale = 1 / loss_scale;
  scalars_.copy_from(Tensor::from(std::span(reinterpret_cast<const double*>(&now), kScalars), {kScalars}));
  loss_scale_.copy_from(Tensor::from(std::vector<float>{static_cast<float>(loss_scale)}, {1}));
}

void Optimizer::update(double max_norm, const Tensor& losses) {
  with_gradient_.clear();
  std::vector<kernels::ArrayView> gradients;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& gradient = gradient_of(parameters_[i].value);
    if (!gradient.defined()) continue;
    with_gradient_.push_back(i);
    gradients.push_back({gradient.data(), gradient.elements(), gradient.dtype()});
  }
  auto* const report = static_cast<double*>(report_.data());
  const auto* const scalars = static_cast<const kernels::StepScalars*>(scalars_.data());
  kernels::sums_of_squares({gradients, report + 2}, stream_of(parameters_));
  kernels::clipping_factor({.squares = report + 2,
                            .losses = losses.defined() ? static_cast<const float*>(losses.data()) : nullptr,
                            .scalars = scalars,
                            .norm = report,
                            .factor = report + 1,
                            .count = static_cast<int64_t>(gradients.size()),
                            .loss_count = losses.defined() ? losses.elements() : 0,
                            .max_norm = max_norm},
                           stream_of(parameters_));
  apply(with_gradient_, scalars, report + 1);
}

StepReport Optimizer::finish() {
  const Tensor host = report_.rows(0, 2 + static_cast<int64_t>(with_gradient_.size())).to({});
  const auto report = host.host<double>();
  StepReport result = {.gradient_norm = report[0], .not_finite = ""};
  if (std::isfinite(report[1])) {
    ++steps_;
    return result;
  }
  result.not_finite = "loss";
  for (size_t i = with_gradient_.size(); i-- > 0;) {
    if (!std::isfinite(report[2 + i])) result.not_finite = parameters_[with_gradient_[i]].name;
  }
  return result;
}

Tensor Optimizer::add_moment(const std::string& kind, const nn::Parameter& parameter) {
  const Tensor& weight = parameter.value;
  return moments_[concat(kind, ".", parameter.name)] = Tensor::zeros(weight.shape(), DType::f32, weight.device());
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
