/// What `suanli doctor` says of GPUs: driver, devices and libraries, and what is missing.
#pragma once

#include <string>
#include <vector>

namespace suanli::kernels {

/// A line for each: the driver beside this build, each device, its condition, peer access where there are several,
/// cuBLASLt, cuDNN, GPUDirect; what is missing stands with the way to get it. Opens the driver and the libraries.
std::vector<std::string> gpu_report();

}  // namespace suanli::kernels
