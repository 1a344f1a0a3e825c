#include "optim/gradients.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "kernels/optimizer.h"

namespace suanli::optim {

GradientNorm gradient_norm(std::span<const nn::Parameter> parameters) {
  GradientNorm result;
  if (parameters.empty()) return result;
  // One number for each parameter, fetched all at once: a device is waited for a single time.
  const Device device = parameters.front().value.device();
  const auto count = static_cast<int64_t>(parameters.size());
  const Tensor squares = Tensor::zeros({count}, DType::f64, device);
  for (int64_t i = 0; i < count; ++i) {
    const Tensor& gradient = gradient_of(parameters[static_cast<size_t>(i)].value);
    if (!gradient.defined()) continue;
    kernels::sum_of_squares(
        {gradient.data(), static_cast<double*>(squares.data()) + i, gradient.elements(), gradient.dtype()},
        backend(device).default_stream());
  }
  const Tensor host = squares.to({});
  double sum = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const double value = host.host<double>()[i];
    if (!std::isfinite(value) && result.not_finite.empty()) result.not_finite = parameters[i].name;
    sum += value;
  }
  result.norm = std::sqrt(sum);
  return result;
}

double clipping_factor(double norm, double max_norm) {
  return max_norm == 0 ? 1.0 : std::min(1.0, max_norm / (norm + 1e-6));
}

void clear_gradients(std::span<const nn::Parameter> parameters) {
  for (const nn::Parameter& parameter : parameters) gradient_of(parameter.value) = Tensor();
}

}  // namespace suanli::optim
