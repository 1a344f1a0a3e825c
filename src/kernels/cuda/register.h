/// Registers the CUDA devices and the kernels in this folder.
#pragma once

namespace suanli::kernels {

/// Called by register_all() where the build has CUDA. Opens nothing.
void register_cuda();

}  // namespace suanli::kernels
