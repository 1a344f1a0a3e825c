/// Whether f32 products may be computed in tf32, a switch of the process (torch.backends.cuda.matmul.allow_tf32).
#pragma once

namespace suanli::kernels {

/// Set before the first product. True lets CUDA bring f32 operands to 10 bits of fraction (to nearest, or cut off where
/// a library's tensor-core kernel does so) before they are multiplied; products of them are exact in f32. It changes
/// nothing on the CPU.
inline bool tf32_allowed = false;

}  // namespace suanli::kernels
