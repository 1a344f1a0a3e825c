/// NVIDIA GPUs as devices: the primary context, streams for work and for copies, memory, staged copies, graphs.
#pragma once

namespace suanli::cuda {

/// Makes DeviceType::cuda known to backend(). Costs nothing: the driver is opened when a device is asked for.
void register_cuda_devices();

/// Makes the context of device `index`, which is open, the calling thread's.
void make_current(int index);

}  // namespace suanli::cuda
