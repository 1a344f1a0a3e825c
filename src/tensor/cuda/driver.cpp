#include "tensor/cuda/driver.h"

#include "base/error.h"
#include "tensor/cuda/library.h"

namespace suanli::cuda {

namespace {

struct Loaded {
  Driver functions;
  Library library{"libcuda.so.1"};
  int devices = 0;
  std::string problem;  ///< empty: the driver can be used and has a device

  Loaded() { problem = load(); }

  std::string load() {
    if (!library.found()) return "no NVIDIA driver: libcuda.so.1 is not installed; install the driver of your system";
#define SUANLI_FIND(name) library.find(functions.name, #name);
    SUANLI_CUDA_DRIVER_FUNCTIONS(SUANLI_FIND)
#undef SUANLI_FIND
    if (!library.missing().empty()) {
      return "the NVIDIA driver is too old, it lacks " + library.missing() + "; install a newer one";
    }
    CUresult result = functions.cuInit(0);
    if (result == CUDA_SUCCESS) result = functions.cuDeviceGetCount(&devices);
    if (result != CUDA_SUCCESS) {
      devices = 0;
      return "the NVIDIA driver does not start: " + text_of(result);
    }
    return devices == 0 ? "the NVIDIA driver sees no device; is one in the machine, and does CUDA_VISIBLE_DEVICES "
                          "hide it?"
                        : "";
  }

  std::string text_of(CUresult result) const {
    const char *name = nullptr, *text = nullptr;
    functions.cuGetErrorName(result, &name);
    functions.cuGetErrorString(result, &text);
    return std::string(name == nullptr ? "unknown error" : name) + " (" + (text == nullptr ? "" : text) + ")";
  }
};

const Loaded& loaded() {
  static const Loaded instance;
  return instance;
}

}  // namespace

const Driver& driver() {
  if (!loaded().problem.empty()) throw UserError("cuda", "expected a CUDA device: " + loaded().problem);
  return loaded().functions;
}

void* driver_function(const char* name) { return loaded().library.symbol(name); }

std::string driver_problem() { return loaded().problem; }
int driver_devices() { return loaded().devices; }

void check(CUresult result, const char* call) {
  if (result != CUDA_SUCCESS) {
    throw EnvironmentError("cuda", std::string(call) + " failed: " + loaded().text_of(result));
  }
}

DeviceProperties properties(int index) {
  const Driver& d = driver();
  CUdevice device = 0;
  check(d.cuDeviceGet(&device, index), "cuDeviceGet");
  const auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    check(d.cuDeviceGetAttribute(&value, which, device), "cuDeviceGetAttribute");
    return value;
  };
  char name[256] = {};
  check(d.cuDeviceGetName(name, sizeof name, device), "cuDeviceGetName");
  size_t bytes = 0;
  check(d.cuDeviceTotalMem_v2(&bytes, device), "cuDeviceTotalMem");
  int version = 0;
  check(d.cuDriverGetVersion(&version), "cuDriverGetVersion");
  return {.name = name,
          .major = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
          .minor = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
          .processors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
          .memory_bytes = static_cast<int64_t>(bytes),
          .driver_version = version};
}

}  // namespace suanli::cuda
