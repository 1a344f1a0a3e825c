#include "nn/parameters.h"

#include <algorithm>

#include "autograd/tape.h"
#include "ops/cast.h"

namespace suanli::nn {

namespace {

/// FNV-1a: the site of a parameter's initialiser, so that its values do not depend on the parameters before it.
uint32_t site_of(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  return hash;
}

Initializer constant(float value) {
  return [value](const Tensor& tensor, RandomGenerator&) { std::ranges::fill(tensor.host<float>(), value); };
}

std::string join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

}  // namespace

Initializer zeros() { return constant(0); }
Initializer ones() { return constant(1); }

Initializer normal(double standard_deviation) {
  return [standard_deviation](const Tensor& tensor, RandomGenerator& random) {
    for (float& value : tensor.host<float>()) value = static_cast<float>(standard_deviation * random.next_normal());
  };
}

Initializer uniform(double limit) {
  return [limit](const Tensor& tensor, RandomGenerator& random) {
    for (float& value : tensor.host<float>()) value = static_cast<float>(limit * (2.0 * random.next_uniform() - 1.0));
  };
}

Tensor Parameters::get(const std::string& name, Shape shape, const Initializer& initializer) {
  const auto same_name = [&](const Parameter& parameter) { return parameter.name == name; };
  if (std::ranges::any_of(all_, same_name)) {
    throw UserError("parameters", "expected each name once, got \"" + name + "\" twice");
  }
  Tensor value = options_.source ? options_.source(name, shape) : Tensor();
  if (!value.defined()) {
    value = Tensor::empty(shape, DType::f32);
    RandomGenerator random({options_.seed, 0, site_of(name)});
    initializer(value, random);
    initialized_.push_back(name);
  } else if (options_.trainable) {
    value = value.clone();
  }
  if (shape.rank() == 2 && options_.matrix_dtype != DType::f32) value = ops::cast(value, options_.matrix_dtype);
  if (options_.device != value.device()) value = value.to(options_.device);
  options_.trainable ? require_gradient(value) : value.make_constant();
  all_.push_back({name, value});
  return value;
}

int64_t Parameters::elements() const {
  int64_t sum = 0;
  for (const Parameter& parameter : all_) sum += parameter.value.elements();
  return sum;
}

ParameterScope ParameterScope::operator/(std::string_view name) const {
  return ParameterScope(*parameters_, join(path_, name));
}

Tensor ParameterScope::get(std::string_view name, Shape shape, const Initializer& initializer) const {
  return parameters_->get(join(path_, name), shape, initializer);
}

}  // namespace suanli::nn
