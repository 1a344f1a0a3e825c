/// Tensor-core products of 16-bit tiles in shared memory (PTX ISA, mma.m16n8k16): tiles fetched by cp.async and read by
/// ldmatrix. Device code.
#pragma once

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

/// Where 16 bytes (`chunk`) of a row of D elements (a multiple of 16) lie in a tile: turned within the row so that the
/// eight rows that ldmatrix reads at once fall on different banks. Eight chunks fill all banks once: rows of a multiple
/// of eight begin on one bank, rows of an odd multiple of four on two in turn, of two on four.
template <int D>
__device__ uint32_t place(int row, int chunk) {
  static_assert(D % 16 == 0);
  const int turn = D % 64 == 0 ? row % 8 : D % 32 == 0 ? row / 2 % 4 : row / 4 % 2;
  return static_cast<uint32_t>(row * D * 2 + (chunk ^ turn) * 16);
}

__device__ inline uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

/// Begins to copy rows [first, first + kRows) of D elements, `stride` apart, to a tile; rows from `end` on become
/// zeros.
template <int kRows, int D, int kThreads, class T>
__device__ void fetch(uint32_t tile, const T* base, int64_t stride, int64_t first, int64_t end) {
  constexpr int kChunks = D / 8;
  for (int i = threadIdx.x; i < kRows * kChunks; i += kThreads) {
    const int row = i / kChunks, chunk = i % kChunks;
    const bool inside = first + row < end;
    const T* from = base + (inside ? first + row : first) * stride + chunk * 8;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(tile + place<D>(row, chunk)), "l"(from),
                 "r"(inside ? 16 : 0));
  }
}
__device__ inline void end_fetch() { asm volatile("cp.async.commit_group;"); }
/// Waits until at most kPending of the fetches that were ended last are under way; then the block meets.
template <int kPending>
__device__ void await_fetch() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending));
  __syncthreads();
}

/// Four 8 x 8 matrices: lane l gives the address of row l % 8 of matrix l / 8.
__device__ inline void load_matrices(uint32_t (&out)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(address));
}
__device__ inline void load_transposed(uint32_t (&out)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(address));
}

/// The left operand: 16 rows from `row`, 16 columns from `column` of a tile.
template <int D>
__device__ void load_left(uint32_t (&out)[4], uint32_t tile, int row, int column) {
  const int lane = threadIdx.x % 32;
  load_matrices(out, tile + place<D>(row + lane % 16, column / 8 + lane / 16));
}
/// Two right operands for X Y^T: rows of Y from `row` (16 of them: out[0..1] the first 8, out[2..3] the others), 16
/// columns from `column`.
template <int D>
__device__ void load_right(uint32_t (&out)[4], uint32_t tile, int row, int column) {
  const int lane = threadIdx.x % 32;
  load_matrices(out, tile + place<D>(row + lane % 8 + lane / 16 * 8, column / 8 + lane / 8 % 2));
}
/// Two right operands for X Y: 16 rows of Y from `row`, 16 columns from `column` (out[0..1] the first 8).
template <int D>
__device__ void load_right_transposed(uint32_t (&out)[4], uint32_t tile, int row, int column) {
  const int lane = threadIdx.x % 32;
  load_transposed(out, tile + place<D>(row + lane % 16, column / 8 + lane / 16));
}

/// c [16,8] += a [16,16] b [16,8], sums in f32. Lane l holds of c the rows l / 4 (c[0], c[1]) and l / 4 + 8 (c[2],
/// c[3]) in the columns l % 4 * 2 and the next.
template <class T>
__device__ void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

/// Two numbers rounded to 16 bits, the first in the lower half.
template <class T>
__device__ uint32_t pair(float low, float high) {
  uint32_t out;
  if constexpr (std::is_same_v<T, bfloat16>) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  }
  return out;
}

/// sums [16, 8 kBlocks] += 16 rows of X from `row` times kBlocks * 8 rows of Y, transposed; both tiles have D columns.
template <class T, int D, int kBlocks>
__device__ void multiply_rows(float (&sums)[kBlocks][4], uint32_t x, int row, uint32_t y) {
#pragma unroll
  for (int d = 0; d < D; d += 16) {
    uint32_t left[4], right[4];
    load_left<D>(left, x, row, d);
#pragma unroll
    for (int block = 0; block < kBlocks; block += 2) {
      load_right<D>(right, y, block * 8, d);
      multiply_add<T>(sums[block], left, right[0], right[1]);
      multiply_add<T>(sums[block + 1], left, right[2], right[3]);
    }
  }
}

/// sums [16, D] += weights [16, 8 kBlocks], rounded to T, times the kBlocks * 8 rows of a tile.
template <class T, int D, int kBlocks>
__device__ void multiply_weights(float (&sums)[D / 8][4], const float (&weights)[kBlocks][4], uint32_t y) {
#pragma unroll
  for (int block = 0; block < kBlocks; block += 2) {
    const float(&w)[4] = weights[block], (&next)[4] = weights[block + 1];
    const uint32_t left[4] = {pair<T>(w[0], w[1]), pair<T>(w[2], w[3]), pair<T>(next[0], next[1]),
                              pair<T>(next[2], next[3])};
#pragma unroll
    for (int d = 0; d < D; d += 16) {
      uint32_t right[4];
      load_right_transposed<D>(right, y, block * 8, d);
      multiply_add<T>(sums[d / 8], left, right[0], right[1]);
      multiply_add<T>(sums[d / 8 + 1], left, right[2], right[3]);
    }
  }
}

}  // namespace suanli::kernels::cuda
