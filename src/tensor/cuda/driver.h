/// The CUDA driver's functions, found at run time: the program links no CUDA library and starts without one.
#pragma once

#include <cuda.h>

#include <string>

namespace suanli::cuda {

// By the names that the library exports: cuda.h maps some names to those of their newest version.
// clang-format off
#define SUANLI_CUDA_DRIVER_FUNCTIONS(F)                                                                  \
  F(cuInit) F(cuDriverGetVersion) F(cuGetErrorName) F(cuGetErrorString)                                  \
  F(cuDeviceGetCount) F(cuDeviceGet) F(cuDeviceGetName) F(cuDeviceGetAttribute) F(cuDeviceTotalMem_v2)   \
  F(cuDevicePrimaryCtxRetain) F(cuCtxSetCurrent)                                                         \
  F(cuMemAlloc_v2) F(cuMemFree_v2) F(cuMemGetInfo_v2) F(cuMemAllocHost_v2)                               \
  F(cuMemcpyHtoDAsync_v2) F(cuMemcpyDtoHAsync_v2) F(cuMemcpyDtoDAsync_v2) F(cuMemsetD8Async)             \
  F(cuStreamCreate) F(cuStreamSynchronize) F(cuEventCreate) F(cuEventRecord) F(cuEventSynchronize)       \
  F(cuModuleLoadData) F(cuModuleGetFunction) F(cuLaunchKernel)                                           \
  F(cuEventQuery) F(cuEventDestroy_v2) F(cuStreamWaitEvent) F(cuMemAllocManaged)                         \
  F(cuStreamBeginCapture_v2) F(cuStreamEndCapture) F(cuGraphInstantiateWithFlags) F(cuGraphLaunch)       \
  F(cuGraphExecDestroy) F(cuGraphDestroy) F(cuDeviceGetPCIBusId) F(cuDeviceCanAccessPeer)
// clang-format on

struct Driver {
#define SUANLI_DECLARE(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
  SUANLI_CUDA_DRIVER_FUNCTIONS(SUANLI_DECLARE)
#undef SUANLI_DECLARE
};

/// The driver, opened and initialised at the first call. Throws UserError where there is none.
const Driver& driver();
/// Why there is no driver or no device, and the way out; empty where there is one. Opens the driver.
std::string driver_problem();
/// Devices that can be used; 0 without a driver. Opens the driver.
int driver_devices();

/// The exported function `name`, or null: for what older drivers lack.
void* driver_function(const char* name);

/// Throws EnvironmentError with the driver's own words when `result` is an error; `call` names what was called.
void check(CUresult result, const char* call);

/// The kernels' PTX is for compute capability 8.0: older devices cannot run it.
inline constexpr int kLeastMajor = 8;

/// One device in words and numbers, for `suanli doctor` and kernels that choose by them.
struct DeviceProperties {
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int processors = 0;        ///< streaming multiprocessors
  int64_t memory_bytes = 0;
  int driver_version = 0;  ///< newest CUDA that the driver knows: 12040 is 12.4
};
/// Properties of device `index` < driver_devices(). Throws EnvironmentError when the driver does.
DeviceProperties properties(int index);

}  // namespace suanli::cuda
