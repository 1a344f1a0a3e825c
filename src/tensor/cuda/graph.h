/// CUDA graphs: work of a stream recorded once and queued again as one piece.
#pragma once

#include <cuda.h>

#include <functional>
#include <memory>

#include "tensor/device.h"

namespace suanli::cuda {

/// True while this thread records a graph: memory then comes from the graphs' pool, and what would wait for the device
/// is refused.
bool capturing();
/// Throws EnvironmentError that names `what` while this thread records a graph.
void refuse_while_capturing(const char* what);

/// Records what `work` queues on `stream`. Other threads must not use the stream meanwhile. Throws what `work` throws.
/// `ended` is called when the graph is gone.
std::unique_ptr<DeviceGraph> capture(CUstream stream, const std::function<void()>& work, std::function<void()> ended);

}  // namespace suanli::cuda
