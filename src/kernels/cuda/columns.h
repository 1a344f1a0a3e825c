/// Sums over the rows of a matrix, column by column, in an order that depends on the shape alone: partial sums of fixed
/// chunks of rows first, then the chunks one after another. Read by both halves of a .cu file.
#pragma once

#include <cstdint>

namespace suanli::kernels::cuda {

constexpr int kChunkRows = 128;  ///< rows of one partial sum
constexpr int kLanes = 32;       ///< columns of a block
constexpr int kRowGroups = 8;    ///< rows that a block reads at once

#ifdef __CUDACC__

/// Block (column block, chunk) of kLanes * kRowGroups threads: partial[i][chunk][column] = sum of term(row, column)[i]
/// over the rows of the chunk, for kSums sums at once.
template <class C, int kSums, class F>
__device__ void chunk_sums(int64_t rows, int64_t width, C* partial, F&& term) {
  __shared__ C sums[kRowGroups][kSums][kLanes];
  const int lane = threadIdx.x % kLanes, group = threadIdx.x / kLanes;
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kLanes + lane, chunk = blockIdx.y;
  const int64_t end = min(rows, (chunk + 1) * kChunkRows);
  C mine[kSums] = {};
  if (column < width) {
    for (int64_t row = chunk * kChunkRows + group; row < end; row += kRowGroups) {
      C values[kSums];
      term(row, column, values);
#pragma unroll
      for (int i = 0; i < kSums; ++i) mine[i] += values[i];
    }
  }
#pragma unroll
  for (int i = 0; i < kSums; ++i) sums[group][i][lane] = mine[i];
  __syncthreads();
  if (group != 0 || column >= width) return;
#pragma unroll
  for (int i = 0; i < kSums; ++i) {
    C sum = 0;
    for (int g = 0; g < kRowGroups; ++g) sum += sums[g][i][lane];
    partial[(i * static_cast<int64_t>(gridDim.y) + chunk) * width + column] = sum;
  }
}

/// One thread for each column: y[column] = sum of partial[chunk][column].
template <class C>
__device__ void sum_chunks(const C* partial, int64_t chunks, int64_t width, C* y) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= width) return;
  C sum = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * width + column];
  y[column] = sum;
}

#endif

}  // namespace suanli::kernels::cuda
