#include "nn/parameters.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "base/profile.h"
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

Initializer within_root(int64_t fan) {
  return uniform(1.0 / std::sqrt(static_cast<double>(std::max<int64_t>(fan, 1))));
}

Tensor Parameters::fetch(const std::string& name, const Shape& shape, const Initializer& initializer) {
  if (!names_.insert(name).second) {
    throw UserError("parameters", "expected each name once, got \"" + name + "\" twice");
  }
  activity.op = "parameters";  // who holds the memory
  const auto initial = [&] {
    Tensor value = Tensor::empty(shape, DType::f32);
    RandomGenerator random({options_.seed, 0, site_of(name)});
    initializer(value, random);
    return value;
  };
  Tensor value = options_.source ? options_.source(name, shape, initial) : Tensor();
  activity.op = "parameters";
  if (value.defined()) {
    const bool may_be_borrowed = value.device() == Device{};
    const bool copied = value.device() != options_.device || (options_.trainable && !frozen(name) && may_be_borrowed);
    return copied ? value.to(options_.device) : value;
  }
  value = initial();
  initialized_.push_back(name);
  return options_.device == Device{} ? value : value.to(options_.device);
}

Tensor Parameters::get(const std::string& name, Shape shape, const Initializer& initializer) {
  Tensor value = fetch(name, shape, initializer);
  if (shape.rank() == 2 && options_.matrix_dtype != DType::f32) value = ops::cast(value, options_.matrix_dtype);
  elements_ += shape.elements();
  const bool is_new = !initialized_.empty() && initialized_.back() == name;
  const bool trains = options_.trainable && (is_new || !frozen(name));
  all_.push_back({name, value});
  if (trains) {
    require_gradient(all_.back().value);
    trained_.push_back(all_.back());
  } else if (!options_.trainable) {
    // Beside what trains it is none: kernels pack a constant for y = x W^T, and backward multiplies by W.
    value.make_constant();
  }
  return all_.back().value;
}

Tensor Parameters::buffer(const std::string& name, Shape shape, const Initializer& initializer) {
  Tensor value = fetch(name, shape, initializer);
  buffers_.push_back({name, value});
  return value;
}

ops::QuantizedWeight Parameters::get_quantized(const std::string& name, Shape shape, const Initializer& initializer) {
  if (!quantizes(name)) return {};
  if (options_.trainable) throw UserError("parameters", "expected f32 weights to train, got int8 for " + name);
  elements_ += shape.elements();
  return ops::quantize_weight(fetch(name, shape, initializer));
}

ParameterScope ParameterScope::operator/(std::string_view name) const {
  return ParameterScope(*parameters_, join(path_, name));
}

Tensor ParameterScope::get(std::string_view name, Shape shape, const Initializer& initializer) const {
  return parameters_->get(join(path_, name), shape, initializer);
}

bool ParameterScope::quantizes(std::string_view name) const { return parameters_->quantizes(join(path_, name)); }

ops::QuantizedWeight ParameterScope::get_quantized(std::string_view name, Shape shape,
                                                   const Initializer& initializer) const {
  return parameters_->get_quantized(join(path_, name), shape, initializer);
}

Tensor ParameterScope::buffer(std::string_view name, Shape shape, const Initializer& initializer) const {
  return parameters_->buffer(join(path_, name), shape, initializer);
}

LoraOptions ParameterScope::lora(std::string_view name, int64_t rows) const {
  return parameters_->lora(join(path_, name), rows);
}

}  // namespace suanli::nn
