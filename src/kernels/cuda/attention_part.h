/// What the tiled kernels of attention share: the part of a block, and what their launches check. Read by both halves
/// of a .cu file.
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

#ifdef __CUDACC__

/// A place before every query of a sequence, counted from the first key of a block: where a key is seen by all of them.
constexpr int kBeforeAll = -(1 << 30);

/// The part of a sequence and head that a block works on: queries or keys from `first` on.
struct Part {
  int64_t begin, end, first;  ///< the sequence's rows, the block's first
  int64_t head;
  __device__ bool empty() const { return first >= end; }
  /// Behind the last key that takes part for a query.
  __device__ int64_t end_of_keys(bool causal, int64_t query) const { return causal ? min(end, query + 1) : end; }
  /// The first query that a key takes part for.
  __device__ int64_t first_query(bool causal, int64_t key) const { return causal ? key : begin; }
};
template <class Args>
__device__ Part part_of_block(const Args& args, int rows) {
  const int64_t begin = args.offsets[blockIdx.z], end = args.offsets[blockIdx.z + 1];
  return {begin, end, begin + static_cast<int64_t>(blockIdx.x) * rows, blockIdx.y};
}

/// Element 0 of a head in q, k, v and their gradients, and in out and dout.
template <class T, class Args>
__device__ const T* operand(const Args& args, const void* base, const Part& part) {
  return static_cast<const T*>(base) + part.head * args.head_size;
}

#else

/// True when all pointers lie on 16 bytes.
inline bool aligned(std::initializer_list<const void*> pointers) {
  return std::ranges::all_of(pointers, [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; });
}

/// What both refuse: rows that cannot be copied 16 bytes at a time, more heads or sequences than a grid has, and heads
/// that share keys.
template <class Args>
Refusal refuse_parts(const Args& args, bool pointers_aligned) {
  if (args.group != 1) return "query heads share keys and values";
  if (args.heads > 65535 || args.sequences > 65535) return "there are more than 65535 heads or sequences";
  const int64_t elements = 16 / size_of(args.dtype);
  if (args.head_size % elements != 0 || args.stride % elements != 0 || !pointers_aligned)
    return "rows do not lie on 16 bytes";
  return nullptr;
}

/// Blocks for every `rows` rows of the longest sequence; those beyond a shorter one end at once.
template <class Args>
Grid grid_of_parts(const Args& args, int64_t rows, int threads, int64_t shared_bytes) {
  return {.x = blocks_for(args.longest, rows),
          .y = args.heads,
          .z = args.sequences,
          .threads = threads,
          .shared_bytes = shared_bytes};
}

#endif

}  // namespace suanli::kernels::cuda
