/// What NVIDIA's management library says of a GPU: power, energy, heat, clocks, memory in use. Found at run time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace suanli::cuda {

struct DeviceCondition {
  std::string problem = {};       ///< why the rest is unknown, and the way out; empty where it is known
  double power_limit = 0;         ///< watts
  double power_limit_most = 0;    ///< watts, that the device would allow
  int temperature = 0;            ///< degrees Celsius
  int clock = 0, clock_most = 0;  ///< of the processors, MHz
  int64_t free_bytes = 0;
};

/// Of device `index` < driver_devices(). Opens the library.
DeviceCondition condition(int index);

/// Joules that it has taken since the driver was loaded; nothing where it does not count them.
std::optional<double> energy_joules(int index);

}  // namespace suanli::cuda
