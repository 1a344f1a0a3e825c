/// Whether CUDA may add by atomics, a switch of the process.
#pragma once

namespace suanli::kernels {

/// Set before the first kernel. True lets kernels on CUDA add the terms of a sum as blocks come to them: less work, and
/// equal runs may differ in the last bits. It changes nothing on the CPU.
inline bool atomics_allowed = false;

}  // namespace suanli::kernels
