/// The energy that a device has taken.
#pragma once

#include <optional>

#include "tensor/device.h"

namespace suanli {

/// Joules of a CUDA device since its driver was loaded, of all work on it (NVML's counter: Volta and newer); nothing
/// for a CPU, and where it is unknown. Thread safe.
std::optional<double> device_joules(Device device);

}  // namespace suanli
