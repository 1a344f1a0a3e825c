/// Unified memory, for models that do not fit a GPU: a stated choice, because what does not fit moves over the bus.
#pragma once

#include <cuda.h>

#include <cstdint>

namespace suanli::cuda {

/// SUANLI_CUDA_MEMORY: "managed" for unified memory, "device" or unset for memory of the device. Throws UserError for
/// anything else.
bool wants_managed_memory();

/// Unified memory that the driver is advised to keep on device `index` and to bring there on `stream`; pages that find
/// no room stay in the host's memory and move when they are used. Null when neither has room. Throws EnvironmentError
/// where the driver lacks the advice (before CUDA 12.2).
void* allocate_managed(int64_t bytes, int index, CUstream stream);

}  // namespace suanli::cuda
