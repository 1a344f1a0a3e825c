#include "kernels/cuda/launch.h"

#include <string>

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/driver.h"

namespace suanli::kernels::cuda {

using suanli::cuda::check;
using suanli::cuda::driver;

void* DeviceCode::function(int device, const char* name, const char* suffix) {
  const std::lock_guard lock(mutex_);
  void*& function = functions_[{device, name, suffix}];
  if (function != nullptr) return function;
  void*& module = modules_[device];
  if (module == nullptr) {
    CUmodule loaded = nullptr;
    check(driver().cuModuleLoadData(&loaded, image_), "cuModuleLoadData");
    module = loaded;
  }
  const std::string symbol = std::string(name) + (*suffix == '\0' ? "" : "_") + suffix;
  CUfunction found = nullptr;
  check(driver().cuModuleGetFunction(&found, static_cast<CUmodule>(module), symbol.c_str()), symbol.c_str());
  function = found;
  return function;
}

void DeviceCode::launch_kernel(const char* name, const char* suffix, const Grid& grid, Stream& stream,
                               const void** parameters) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  suanli::cuda::make_current(stream.device.index);
  check(driver().cuLaunchKernel(static_cast<CUfunction>(function(stream.device.index, name, suffix)),
                                static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
                                static_cast<unsigned>(grid.z), static_cast<unsigned>(grid.threads), 1, 1,
                                static_cast<unsigned>(grid.shared_bytes), static_cast<CUstream>(stream.handle),
                                const_cast<void**>(parameters), nullptr),
        name);
}

Scratch::Scratch(Stream& stream, int64_t bytes)
    : device_(stream.device), bytes_(bytes > 0 ? bytes : 1), memory_(backend(device_).allocate(bytes_)) {}

Scratch::~Scratch() { backend(device_).release(memory_, bytes_); }

}  // namespace suanli::kernels::cuda
