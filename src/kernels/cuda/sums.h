/// The sum of many f64 terms in an order that depends on their number alone: a partial sum of each block of fixed
/// terms, then the partial sums by one block. Read by both halves of a .cu file.
#pragma once

#ifdef __CUDACC__
#include "kernels/cuda/device.h"
#endif

namespace suanli::kernels::cuda {

constexpr int kTermsOfBlock = 256 * 16;

#ifdef __CUDACC__

/// *out = sum of term(i) over the terms i < count of block number `block`, kTermsOfBlock a block.
template <class F>
__device__ void partial_sum(int64_t count, int64_t block, double* out, F&& term) {
  const int64_t first = block * kTermsOfBlock, end = min(count, first + kTermsOfBlock);
  double sum = 0;
  for (int64_t i = first + threadIdx.x; i < end; i += blockDim.x) sum += term(i);
  sum = block_sum(sum);
  if (threadIdx.x == 0) *out = sum;
}

/// By one block of 256 threads: *out = scale * sum of terms[0 .. count).
template <class C>
__device__ void total_sum(const double* terms, int64_t count, double scale, C* out) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += terms[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *out = static_cast<C>(scale * sum);
}

#endif

}  // namespace suanli::kernels::cuda
