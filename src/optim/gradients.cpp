#include "optim/gradients.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "kernels/optimizer.h"

namespace suanli::optim {

GradientNorm gradient_norm(std::span<const nn::Parameter> parameters) {
  GradientNorm result;
  double sum = 0;
  for (const nn::Parameter& parameter : parameters) {
    const Tensor& gradient = gradient_of(parameter.value);
    if (!gradient.defined()) continue;
    const Tensor squares = Tensor::empty({1}, DType::f64, gradient.device());
    kernels::sum_of_squares(
        {gradient.data(), static_cast<double*>(squares.data()), gradient.elements(), gradient.dtype()},
        backend(gradient.device()).default_stream());
    const double value = squares.to(Device{}).host<double>()[0];
    if (!std::isfinite(value) && result.not_finite.empty()) result.not_finite = parameter.name;
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
