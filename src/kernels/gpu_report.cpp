#include "kernels/gpu_report.h"

#include <algorithm>

#include "tensor/device.h"

#ifdef SUANLI_CUDA
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/cudnn.h"
#include "tensor/cuda/cufile.h"
#include "tensor/cuda/driver.h"
#include "tensor/cuda/nvml.h"
#endif

namespace suanli::kernels {

#ifdef SUANLI_CUDA

namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

constexpr int kMachines[] = {SUANLI_CUDA_MACHINES};  // compute capabilities with machine code, 90 is 9.0

/// A driver of an older major version takes neither the machine code nor the PTX of a newer toolkit.
std::string driver_line() {
  const int version = suanli::cuda::properties(0).driver_version;
  std::string line =
      "driver for CUDA " + version_text(version) + ", kernels built with CUDA " + version_text(CUDA_VERSION);
  if (version / 1000 < CUDA_VERSION / 1000) {
    line += "; install a driver for CUDA " + std::to_string(CUDA_VERSION / 1000) +
            " or newer, or build with an older toolkit";
  }
  return line;
}

/// Machine code runs on devices of its major version from its minor version on; the rest compiles the PTX.
std::string code_text(const suanli::cuda::DeviceProperties& p) {
  if (p.major < suanli::cuda::kLeastMajor) return "; the kernels need 8.0 or newer";
  int best = 0;
  for (const int machine : kMachines) {
    if (machine / 10 == p.major && machine % 10 <= p.minor) best = std::max(best, machine);
  }
  if (best != 0) return ", machine code for " + std::to_string(best / 10) + "." + std::to_string(best % 10);
  return "; no machine code for it: the driver compiles the kernels at their first use and keeps them in ~/.nv; build "
         "with -DSUANLI_CUDA_MACHINES=" +
         std::to_string(10 * p.major + p.minor) + " to have it";
}

std::string device_line(int index) {
  const suanli::cuda::DeviceProperties p = suanli::cuda::properties(index);
  return Device{DeviceType::cuda, index}.text() + " " + p.name + ", compute capability " + std::to_string(p.major) +
         "." + std::to_string(p.minor) + ", " + std::to_string(p.processors) + " processors, " +
         std::to_string(p.memory_bytes >> 20) + " MiB" + code_text(p);
}

std::string condition_line(int index) {
  const suanli::cuda::DeviceCondition c = suanli::cuda::condition(index);
  const std::string device = Device{DeviceType::cuda, index}.text();
  if (!c.problem.empty()) return device + " power, temperature and free memory are unknown: " + c.problem;
  const auto whole = [](double value) { return std::to_string(static_cast<int64_t>(value)); };
  return device + " " + std::to_string(c.free_bytes >> 20) + " MiB free, " + std::to_string(c.temperature) +
         " degrees, " + std::to_string(c.clock) + " of " + std::to_string(c.clock_most) + " MHz, power limit " +
         whole(c.power_limit) + " W" +
         (c.power_limit < c.power_limit_most
              ? " of " + whole(c.power_limit_most) + " W; `nvidia-smi -pl " + whole(c.power_limit_most) + "` raises it"
              : "");
}

/// Devices that cannot read each other's memory, in words; empty where there is one device.
std::string peer_line() {
  const int count = device_count(DeviceType::cuda);
  std::string apart;
  for (int a = 0; a < count; ++a) {
    for (int b = 0; b < count; ++b) {
      int can = 1;
      if (a != b)
        suanli::cuda::check(suanli::cuda::driver().cuDeviceCanAccessPeer(&can, a, b), "cuDeviceCanAccessPeer");
      if (can == 0) apart += (apart.empty() ? "" : ", ") + std::to_string(a) + " from " + std::to_string(b);
    }
  }
  if (count < 2) return "";
  return apart.empty() ? "peer access between all devices"
                       : "no peer access of " + apart +
                             ": they are on different roots of the bus, or the system's IOMMU "
                             "forbids it";
}

std::string cublaslt_line() {
  if (!cuda::cublaslt().problem.empty())
    return "no cuBLASLt: " + cuda::cublaslt().problem + "; products are slow without";
  const size_t version = cuda::cublaslt().cublasLtGetVersion();
  return "cuBLASLt " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

std::string cudnn_line() {
  const cuda::Cudnn& library = cuda::cudnn();
  return library.problem.empty()
             ? "cuDNN " + library.version
             : "no cuDNN: " + library.problem + "; convolutions copy their windows before a product";
}

std::string storage_line() {
  const std::string& problem = suanli::cuda::cufile().problem;
  if (problem.empty()) {
    return "GPUDirect Storage: cuFile " + suanli::cuda::cufile().version +
           " brings weights straight from file systems that allow it";
  }
  return "no GPUDirect Storage: " + problem + "; weights come through pinned memory";
}

}  // namespace

std::vector<std::string> gpu_report() {
  if (device_count(DeviceType::cuda) == 0) return {device_problem(DeviceType::cuda)};
  std::vector<std::string> lines = {driver_line()};
  for (int i = 0; i < device_count(DeviceType::cuda); ++i) {
    lines.push_back(device_line(i));
    lines.push_back(condition_line(i));
  }
  if (const std::string peers = peer_line(); !peers.empty()) lines.push_back(peers);
  lines.push_back(cublaslt_line());
  lines.push_back(cudnn_line());
  lines.push_back(suanli::cuda::kernel_module_loaded("nvidia_peermem")
                      ? "GPUDirect RDMA: nvidia_peermem is loaded"
                      : "no GPUDirect RDMA: `modprobe nvidia_peermem` (of the driver) gives it to network cards; one "
                        "machine needs none");
  lines.push_back(storage_line());
  return lines;
}

#else

std::vector<std::string> gpu_report() { return {device_problem(DeviceType::cuda)}; }

#endif

}  // namespace suanli::kernels
