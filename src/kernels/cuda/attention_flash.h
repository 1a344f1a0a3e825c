/// What flash attention forward and backward share (Dao et al. 2022; Dao 2023): the part of a block, its dropout, what
/// can be run and how large the launch is. Read by both halves of a .cu file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "kernels/attention.h"

#ifdef __CUDACC__
#include "kernels/cuda/tensor_core.h"
#else
#include "kernels/cuda/launch.h"
#endif

namespace suanli::kernels::cuda {

constexpr int kThreads = 128, kRows = 64;  ///< of a block: four warps, each for 16 queries (or keys) of a head

#ifdef __CUDACC__

/// The head sizes and dtypes that have kernels: F(size, name of the dtype, its type).
#define SUANLI_EACH_FLASH(F) \
  F(32, bf16, bfloat16)      \
  F(64, bf16, bfloat16)      \
  F(128, bf16, bfloat16)     \
  F(32, f16, float16)        \
  F(64, f16, float16)        \
  F(128, f16, float16)

constexpr float kLog2E = 1.44269504088896340736F, kLn2 = 0.693147180559945309417F;

/// The part of a sequence and head that a block works on.
struct Part {
  int64_t begin, end, first;  ///< the sequence's rows, the block's first
  int64_t head;
  __device__ bool empty() const { return first >= end; }
};
template <class Args>
__device__ Part part_of_block(const Args& args) {
  const int64_t begin = args.offsets[blockIdx.z], end = args.offsets[blockIdx.z + 1];
  return {begin, end, begin + static_cast<int64_t>(blockIdx.x) * kRows, blockIdx.y};
}

/// Element 0 of a head in q, k, v and their gradients, and in out and dout.
template <class T, class Args>
__device__ const T* operand(const Args& args, const void* base, const Part& part) {
  return static_cast<const T*>(base) + part.head * args.head_size;
}

/// The bits of kept elements, as multiply_add lays out a block [16,8] whose rows are queries and columns keys: bit c of
/// lane l is that of c[c]. A lane works out the mask of four keys for one query, its neighbours pick from it.
template <class Args>
__device__ uint32_t kept_of_queries(const Args& args, const Part& part, int64_t query, int64_t key) {
  const int lane = threadIdx.x % 32;
  const auto row = static_cast<uint64_t>(part.head * args.tokens + query + lane % 16);
  const auto words =
      philox(args.dropout.random, ((row << 20) + static_cast<uint64_t>(key - part.begin)) / 4 + lane / 16);
  const uint32_t threshold = dropout_threshold(args.dropout.probability);
  uint32_t four = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) four |= static_cast<uint32_t>(words[i] >= threshold) << i;
  const int source = lane % 4 / 2 * 16 + lane / 4, shift = lane % 2 * 2;
  const uint32_t upper = __shfl_sync(0xffffffffU, four, source), lower = __shfl_sync(0xffffffffU, four, source + 8);
  return (upper >> shift & 3) | (lower >> shift & 3) << 2;
}
/// The same where rows are keys and columns queries.
template <class Args>
__device__ uint32_t kept_of_keys(const Args& args, const Part& part, int64_t key, int64_t query) {
  const int lane = threadIdx.x % 32;
  const auto row = static_cast<uint64_t>(part.head * args.tokens + query + lane % 8);
  const auto words =
      philox(args.dropout.random, ((row << 20) + static_cast<uint64_t>(key - part.begin)) / 4 + lane / 8);
  const uint32_t threshold = dropout_threshold(args.dropout.probability);
  uint32_t four = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) four |= static_cast<uint32_t>(words[i] >= threshold) << i;
  const int source = lane / 16 * 8 + lane % 4 * 2, shift = lane / 4 % 4;
  uint32_t kept = 0;
#pragma unroll
  for (int c = 0; c < 4; ++c) {
    kept |= (__shfl_sync(0xffffffffU, four, source + c / 2 * 16 + c % 2) >> shift & 1) << c;
  }
  return kept;
}

/// Folds over the four lanes that share rows of a block.
template <class F>
__device__ float fold_quad(float value, F fold) {
  value = fold(value, __shfl_xor_sync(0xffffffffU, value, 1));
  return fold(value, __shfl_xor_sync(0xffffffffU, value, 2));
}

/// Stores 16 rows from `token`, times `factor`, `stride` elements apart; rows from `end` on are left out.
template <class T, int D>
__device__ void store_rows(T* base, int64_t stride, int64_t token, int64_t end, const float (&sums)[D / 8][4],
                           const float (&factor)[2]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t row = token + lane / 4 + 8 * half;
    if (row >= end) continue;
#pragma unroll
    for (int block = 0; block < D / 8; ++block) {
      const float *s = sums[block] + 2 * half, f = factor[half];
      *reinterpret_cast<uint32_t*>(base + row * stride + block * 8 + lane % 4 * 2) = pair<T>(s[0] * f, s[1] * f);
    }
  }
}

#else

/// True when all pointers lie on 16 bytes.
inline bool aligned(std::initializer_list<const void*> pointers) {
  return std::ranges::all_of(pointers, [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; });
}

/// Why a call cannot run on tensor cores; null where it can.
template <class Args>
Refusal refuse_flash(const Args& args, bool pointers_aligned) {
  if (args.dtype != DType::bf16 && args.dtype != DType::f16) return "dtype is neither bf16 nor f16";
  if (args.head_size != 32 && args.head_size != 64 && args.head_size != 128)
    return "a head has not 32, 64 or 128 columns";
  if (args.heads > 65535 || args.sequences > 65535) return "there are more than 65535 heads or sequences";
  if (args.stride % 8 != 0 || !pointers_aligned) return "rows do not lie on 16 bytes";
  return nullptr;
}
/// Blocks for every kRows rows of the longest sequence; those beyond a shorter one end at once.
template <class Args>
Grid grid_of(const Args& args, int64_t tile_rows) {
  return {.x = blocks_for(args.longest, kRows),
          .y = args.heads,
          .z = args.sequences,
          .threads = kThreads,
          .shared_bytes = tile_rows * args.head_size * 2};
}

/// The kernel of a head size.
inline const char* name_for(int64_t head_size, const char* of_32, const char* of_64, const char* of_128) {
  return head_size == 32 ? of_32 : head_size == 64 ? of_64 : of_128;
}

#endif

}  // namespace suanli::kernels::cuda
