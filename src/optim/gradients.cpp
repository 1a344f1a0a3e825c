#include "optim/gradients.h"

#include <cmath>

#include "autograd/tape.h"
#include "kernels/optimizer.h"

namespace suanli::optim {

std::string first_not_finite(std::span<const nn::Parameter> parameters) {
  if (parameters.empty()) return "";
  const Device device = parameters.front().value.device();
  std::vector<kernels::ArrayView> weights;
  for (const nn::Parameter& p : parameters) weights.push_back({p.value.data(), p.value.elements(), p.value.dtype()});
  const Tensor sums = Tensor::empty({static_cast<int64_t>(weights.size())}, DType::f64, device);
  kernels::sums_of_squares({weights, static_cast<double*>(sums.data())}, backend(device).default_stream());
  const Tensor host = sums.to({});
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(host.host<double>()[i])) return parameters[i].name;
  }
  return "";
}

void clear_gradients(std::span<const nn::Parameter> parameters) {
  for (const nn::Parameter& parameter : parameters) gradient_of(parameter.value) = Tensor();
}

}  // namespace suanli::optim
