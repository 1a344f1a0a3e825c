#include "tensor/device_energy.h"

#ifdef SUANLI_CUDA
#include "tensor/cuda/nvml.h"
#endif

namespace suanli {

std::optional<double> device_joules([[maybe_unused]] Device device) {
#ifdef SUANLI_CUDA
  if (device.type == DeviceType::cuda) return cuda::energy_joules(device.index);
#endif
  return {};
}

}  // namespace suanli
