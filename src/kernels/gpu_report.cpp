#include "kernels/gpu_report.h"

#include "tensor/device.h"

#ifdef SUANLI_CUDA
#include "kernels/cuda/cublaslt.h"
#include "tensor/cuda/driver.h"
#endif

namespace suanli::kernels {

#ifdef SUANLI_CUDA

namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string device_line(int index) {
  const suanli::cuda::DeviceProperties p = suanli::cuda::properties(index);
  return Device{DeviceType::cuda, index}.text() + " " + p.name + ", compute capability " + std::to_string(p.major) +
         "." + std::to_string(p.minor) + ", " + std::to_string(p.processors) + " processors, " +
         std::to_string(p.memory_bytes >> 20) + " MiB" +
         (p.major < suanli::cuda::kLeastMajor ? "; the kernels need 8.0 or newer" : "");
}

std::string cublaslt_line() {
  if (!cuda::cublaslt().problem.empty())
    return "no cuBLASLt: " + cuda::cublaslt().problem + "; products are slow without";
  const size_t version = cuda::cublaslt().cublasLtGetVersion();
  return "cuBLASLt " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace

std::vector<std::string> gpu_report() {
  if (device_count(DeviceType::cuda) == 0) return {device_problem(DeviceType::cuda)};
  std::vector<std::string> lines = {"driver for CUDA " + version_text(suanli::cuda::properties(0).driver_version) +
                                    ", kernels built with CUDA " + version_text(CUDA_VERSION)};
  for (int i = 0; i < device_count(DeviceType::cuda); ++i) lines.push_back(device_line(i));
  lines.push_back(cublaslt_line());
  return lines;
}

#else

std::vector<std::string> gpu_report() { return {device_problem(DeviceType::cuda)}; }

#endif

}  // namespace suanli::kernels
