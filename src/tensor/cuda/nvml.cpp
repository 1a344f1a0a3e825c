#include "tensor/cuda/nvml.h"

#include "tensor/cuda/driver.h"
#include "tensor/cuda/library.h"

namespace suanli::cuda {

namespace {

// As NVIDIA's NVML API reference declares them; nvml.h is not part of every toolkit.
using Result = int;
using Handle = void*;
struct Memory {
  unsigned long long total, free, used;
};
constexpr int kTemperatureOfGpu = 0, kClockOfProcessors = 1;

struct Nvml {
  Result (*nvmlInit_v2)() = nullptr;
  Result (*nvmlDeviceGetHandleByPciBusId_v2)(const char*, Handle*) = nullptr;
  Result (*nvmlDeviceGetPowerManagementLimit)(Handle, unsigned*) = nullptr;
  Result (*nvmlDeviceGetPowerManagementLimitConstraints)(Handle, unsigned*, unsigned*) = nullptr;
  Result (*nvmlDeviceGetTemperature)(Handle, int, unsigned*) = nullptr;
  Result (*nvmlDeviceGetClockInfo)(Handle, int, unsigned*) = nullptr;
  Result (*nvmlDeviceGetMaxClockInfo)(Handle, int, unsigned*) = nullptr;
  Result (*nvmlDeviceGetMemoryInfo)(Handle, Memory*) = nullptr;
  Result (*nvmlDeviceGetTotalEnergyConsumption)(Handle, unsigned long long*) = nullptr;
  std::string problem = load();

  std::string load() {
    Library library{"libnvidia-ml.so.1"};
    if (!library.found()) {
      return "libnvidia-ml.so.1 is not installed; it comes with the driver (on Debian the package libnvidia-ml1)";
    }
    library.find(nvmlInit_v2, "nvmlInit_v2");
    library.find(nvmlDeviceGetHandleByPciBusId_v2, "nvmlDeviceGetHandleByPciBusId_v2");
    library.find(nvmlDeviceGetPowerManagementLimit, "nvmlDeviceGetPowerManagementLimit");
    library.find(nvmlDeviceGetPowerManagementLimitConstraints, "nvmlDeviceGetPowerManagementLimitConstraints");
    library.find(nvmlDeviceGetTemperature, "nvmlDeviceGetTemperature");
    library.find(nvmlDeviceGetClockInfo, "nvmlDeviceGetClockInfo");
    library.find(nvmlDeviceGetMaxClockInfo, "nvmlDeviceGetMaxClockInfo");
    library.find(nvmlDeviceGetMemoryInfo, "nvmlDeviceGetMemoryInfo");
    library.find(nvmlDeviceGetTotalEnergyConsumption, "nvmlDeviceGetTotalEnergyConsumption");
    if (!library.missing().empty()) {
      return "libnvidia-ml.so.1 lacks " + library.missing() + "; install a newer driver";
    }
    return nvmlInit_v2() == 0 ? "" : "the management library does not start; does it match the loaded driver?";
  }
};

const Nvml& nvml() {
  static const Nvml library;
  return library;
}

/// Null where the library or the device is unknown to it; `problem` then says why.
Handle handle_of(int index, std::string& problem) {
  problem = nvml().problem;
  if (!problem.empty()) return nullptr;
  CUdevice device = 0;
  char address[32] = {};
  check(driver().cuDeviceGet(&device, index), "cuDeviceGet");
  check(driver().cuDeviceGetPCIBusId(address, sizeof address, device), "cuDeviceGetPCIBusId");
  Handle handle = nullptr;
  if (nvml().nvmlDeviceGetHandleByPciBusId_v2(address, &handle) == 0) return handle;
  problem = std::string("the management library does not know the device at ") + address;
  return nullptr;
}

}  // namespace

std::optional<double> energy_joules(int index) {
  std::string problem;
  const Handle handle = handle_of(index, problem);
  unsigned long long millijoules = 0;
  if (handle == nullptr || nvml().nvmlDeviceGetTotalEnergyConsumption(handle, &millijoules) != 0) return {};
  return static_cast<double>(millijoules) / 1000;
}

DeviceCondition condition(int index) {
  std::string problem;
  const Handle handle = handle_of(index, problem);
  if (handle == nullptr) return {.problem = problem};
  // What a device does not offer stays 0.
  unsigned limit = 0, least = 0, most = 0, temperature = 0, clock = 0, clock_most = 0;
  Memory memory = {};
  nvml().nvmlDeviceGetPowerManagementLimit(handle, &limit);
  nvml().nvmlDeviceGetPowerManagementLimitConstraints(handle, &least, &most);
  nvml().nvmlDeviceGetTemperature(handle, kTemperatureOfGpu, &temperature);
  nvml().nvmlDeviceGetClockInfo(handle, kClockOfProcessors, &clock);
  nvml().nvmlDeviceGetMaxClockInfo(handle, kClockOfProcessors, &clock_most);
  nvml().nvmlDeviceGetMemoryInfo(handle, &memory);
  return {.power_limit = limit / 1000.0,
          .power_limit_most = most / 1000.0,
          .temperature = static_cast<int>(temperature),
          .clock = static_cast<int>(clock),
          .clock_most = static_cast<int>(clock_most),
          .free_bytes = static_cast<int64_t>(memory.free)};
}

}  // namespace suanli::cuda
