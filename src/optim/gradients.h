/// The gradients of a model taken together: their global norm, their clipping, the first that is not finite.
#pragma once

#include <span>
#include <string>

#include "nn/parameters.h"

namespace suanli::optim {

struct GradientNorm {
  double norm = 0;         ///< root of the sum of all squares, summed in f64 in the order of the parameters
  std::string not_finite;  ///< the first parameter whose gradient holds NaN or infinity; empty: none
};

/// Reads all gradients once; parameters without one (unused by the loss) count for nothing.
GradientNorm gradient_norm(std::span<const nn::Parameter> parameters);

/// The factor that brings gradients of this norm to at most `max_norm`: min(1, max_norm / (norm + 1e-6)), as
/// torch.nn.utils.clip_grad_norm_; 1 where max_norm is 0.
double clipping_factor(double norm, double max_norm);

/// Forgets all gradients.
void clear_gradients(std::span<const nn::Parameter> parameters);

}  // namespace suanli::optim
