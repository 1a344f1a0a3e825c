/// What flash attention forward and backward share (Dao et al. 2022; Dao 2023): its dropout and what can be run. Read
/// by both halves of a .cu file.
#pragma once

#include "kernels/cuda/attention_part.h"

namespace suanli::kernels::cuda {

constexpr int kThreads = 128, kRows = 64;  ///< of a block: four warps, each for 16 queries (or keys) of a head

#ifdef __CUDACC__

/// The head sizes and dtypes that have kernels: F(size, name of the dtype, its type).
#define SUANLI_EACH_FLASH(F) \
  F(32, bf16, bfloat16)      \
  F(64, bf16, bfloat16)      \
  F(80, bf16, bfloat16)      \
  F(96, bf16, bfloat16)      \
  F(128, bf16, bfloat16)     \
  F(32, f16, float16)        \
  F(64, f16, float16)        \
  F(80, f16, float16)        \
  F(96, f16, float16)        \
  F(128, f16, float16)

constexpr float kLog2E = 1.44269504088896340736F, kLn2 = 0.693147180559945309417F;

/// The bits of kept elements, as multiply_add lays out a block [16,8] whose rows are queries and columns keys: bit c of
/// lane l is that of c[c]. A lane works out the mask of four keys for one query, its neighbours pick from it.
template <class Args>
__device__ uint32_t kept_of_queries(const Args& args, const Part& part, int64_t query, int64_t key) {
  const int lane = threadIdx.x % 32;
  const auto row = static_cast<uint64_t>(part.head * args.tokens + query + lane % 16);
  const auto words =
      philox(random_of(args.dropout), ((row << 20) + static_cast<uint64_t>(key - part.begin)) / 4 + lane / 16);
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
      philox(random_of(args.dropout), ((row << 20) + static_cast<uint64_t>(key - part.begin)) / 4 + lane / 8);
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

/// The kernels of one pass by head size.
struct FlashNames {
  const char *of_32, *of_64, *of_80, *of_96, *of_128;
  /// Null where there is none.
  const char* name(int64_t head_size) const {
    switch (head_size) {
      case 32:
        return of_32;
      case 64:
        return of_64;
      case 80:
        return of_80;
      case 96:
        return of_96;
      case 128:
        return of_128;
      default:
        return nullptr;
    }
  }
};
/// FlashNames of "<pass>_<head size>".
#define SUANLI_FLASH_NAMES(pass) \
  { pass "_32", pass "_64", pass "_80", pass "_96", pass "_128" }

/// Why a call cannot run on tensor cores; null where it can.
template <class Args>
Refusal refuse_flash(const Args& args, const FlashNames& names, bool pointers_aligned) {
  if (args.dtype != DType::bf16 && args.dtype != DType::f16) return "dtype is neither bf16 nor f16";
  if (names.name(args.head_size) == nullptr) return "a head has not 32, 64, 80, 96 or 128 columns";
  return refuse_parts(args, pointers_aligned);
}

#endif

}  // namespace suanli::kernels::cuda
