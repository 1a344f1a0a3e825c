/// Attention of new tokens over a cache of keys and values: generation, one or a few tokens at a time.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// Where the keys and values of earlier tokens lie. Sequence b holds lengths[b] of them before the call; its new tokens
/// are the packed rows offsets[b] .. offsets[b+1] and come behind, in all at most `capacity`. The row of place j, head
/// g of keys and values and sequence b starts at ((b * key_heads + g) * capacity + j) * head_size elements in `keys`
/// and `values`, of the dtype of the new rows.
struct KeyValueCache {
  void *keys, *values;
  const int32_t *offsets, *lengths;
  int64_t tokens, sequences, longest, capacity, key_heads, head_size;  ///< longest: new tokens of one sequence
};

/// Writes the new keys and values to their places. Row t of head g starts at k + t * stride + g * head_size elements.
struct CacheAppend {
  const void *k, *v;
  KeyValueCache cache;
  int64_t stride;
  DType dtype;
};
inline Kernel<CacheAppend> cache_append{"cache_append"};
Work work_of(const CacheAppend& args);

/// Query i of the new ones sees the places j <= lengths[b] + i of its sequence, all written by now; head a reads those
/// of head a / (heads / key_heads). out_i = sum_j p[j] v_j with p = softmax of scale * q_i . k_j. Row t of query head a
/// starts at q + t * stride + a * head_size elements; out [tokens, heads * head_size]. Softmax and sums in f32 (f64).
struct CachedAttention {
  const void* q;
  KeyValueCache cache;
  void* out;
  int64_t heads, stride;
  double scale;
  DType dtype;
  double pairs = 0;  ///< of queries and keys, for work_of
};
inline Kernel<CachedAttention> cached_attention{"cached_attention"};
Work work_of(const CachedAttention& args);

}  // namespace suanli::kernels
