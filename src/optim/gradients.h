/// The gradients of a model taken together.
#pragma once

#include <span>
#include <string>

#include "nn/parameters.h"

namespace suanli::optim {

/// The first parameter whose value holds NaN or infinity; empty: none. Reads all weights and waits for the device.
std::string first_not_finite(std::span<const nn::Parameter> parameters);

/// Forgets all gradients.
void clear_gradients(std::span<const nn::Parameter> parameters);

}  // namespace suanli::optim
