/// The instruction sets that our SIMD kernels are compiled for: the baseline, AVX2 and AVX-512. Include this before
/// anything of Highway.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
