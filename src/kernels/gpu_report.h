/// What `suanli doctor` says of GPUs: driver, devices and libraries, and what is missing.
#pragma once

#include <string>
#include <vector>

namespace suanli::kernels {

/// A line for each: this build, the driver, each device, cuBLASLt; what is missing stands with the way to get it. Opens
/// the driver and the library.
std::vector<std::string> gpu_report();

}  // namespace suanli::kernels
