/// Sums over the rows of a matrix, column by column, in an order that depends on the shape alone: partial sums of fixed
/// chunks of rows first, then the chunks one after another. Read by both halves of a .cu file.
#pragma once

#include <cstdint>

#ifndef __CUDACC__
#include "kernels/cuda/launch.h"
#endif

namespace suanli::kernels::cuda {

constexpr int kChunkRows = 128;      ///< rows of one partial sum
constexpr int kColumnThreads = 256;  ///< of a block that sums rows

/// Neighbouring columns of a thread: as many as 128-bit accesses of 16-bit elements take.
constexpr int kWide = 8;
/// Columns of a block whose threads have `each`; the others of its threads take other rows.
constexpr int columns_of_block(int each) { return each == 1 ? 32 : 8 * each; }

#ifdef __CUDACC__

/// The columns of this thread, in the block's `block`th part of them, and the row that it begins with.
template <int kEach>
struct ColumnPlace {
  static constexpr int kLanes = columns_of_block(kEach) / kEach, kRowGroups = kColumnThreads / kLanes;
  int lane = threadIdx.x % kLanes, group = threadIdx.x / kLanes;
  int64_t first, column = first + lane * kEach;
  __device__ explicit ColumnPlace(int64_t block) : first(block * columns_of_block(kEach)) {}
};

/// By kColumnThreads threads: calls finish(i, column, sum) for the columns of part `block` with the sum over the rows
/// [begin, end) of values[i], for kSums sums at once, where term(row, column, count, values) gives those of `count`
/// columns (kEach or more: of kEach) from `column` on.
template <class C, int kSums, int kEach, class Term, class Finish>
__device__ void sum_rows(int64_t block, int64_t begin, int64_t end, int64_t width, Term&& term, Finish&& finish) {
  using Place = ColumnPlace<kEach>;
  constexpr int kColumns = columns_of_block(kEach);
  // Neighbouring lanes, and the row groups of a warp, lie on neighbouring banks.
  constexpr int kPadded = kEach == 1 ? kColumns : kColumns + Place::kLanes;
  __shared__ C sums[Place::kRowGroups][kSums][kPadded];
  const Place place(block);
  C mine[kSums][kEach] = {};
  if (place.column < width) {
    for (int64_t row = begin + place.group; row < end; row += Place::kRowGroups) {
      C values[kSums][kEach];
      term(row, place.column, width - place.column, values);
#pragma unroll
      for (int i = 0; i < kSums; ++i) {
#pragma unroll
        for (int e = 0; e < kEach; ++e) mine[i][e] += values[i][e];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kSums; ++i) {
#pragma unroll
    for (int e = 0; e < kEach; ++e) sums[place.group][i][e * Place::kLanes + place.lane] = mine[i][e];
  }
  __syncthreads();
  const int column = threadIdx.x % kColumns, i = threadIdx.x / kColumns;
  const int64_t to = place.first + column;
  if (i >= kSums || to >= width) return;
  C sum = 0;
  const int at = column % kEach * Place::kLanes + column / kEach;
  for (int g = 0; g < Place::kRowGroups; ++g) sum += sums[g][i][at];
  finish(i, to, sum);
}

/// Block (column block, chunk): partial[i][chunk][column] = the sum over the rows of the chunk; see sum_rows().
template <class C, int kSums, int kEach, class Term>
__device__ void chunk_sums(int64_t rows, int64_t width, C* partial, Term&& term) {
  const int64_t chunk = blockIdx.y;
  sum_rows<C, kSums, kEach>(blockIdx.x, chunk * kChunkRows, min(rows, (chunk + 1) * kChunkRows), width, term,
                            [&](int i, int64_t column, C sum) {
                              partial[(i * static_cast<int64_t>(gridDim.y) + chunk) * width + column] = sum;
                            });
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

#else

/// Blocks of chunk_sums() over a matrix [rows, width] by threads of `each` columns: `y` of them chunks.
inline Grid grid_of_chunks(int64_t rows, int64_t width, int each) {
  return {.x = blocks_for(width, columns_of_block(each)), .y = blocks_for(rows, kChunkRows), .threads = kColumnThreads};
}

#endif

}  // namespace suanli::kernels::cuda
