/// Keys and values of the tokens so far, for generation: every new token is computed once.
#pragma once

#include <span>
#include <vector>

#include "ops/attention.h"
#include "tensor/tensor.h"

namespace suanli::models {

struct TokenCache {
  struct Options {
    int64_t layers, sequences, key_heads, capacity, head_size;  ///< capacity: tokens of one sequence
    DType dtype;
    Device device;
  };
  TokenCache() = default;
  explicit TokenCache(const Options& options);

  std::vector<Tensor> keys, values;  ///< of each layer, [B, G, C, D]
  Tensor lengths;                    ///< [B] i32: tokens of each sequence before the next pass

  /// After a pass over new tokens at `offsets` [B+1] i32.
  void advance(const Tensor& offsets);
  /// Sequence b becomes what sequence from[b] was (beam search).
  void select(std::span<const int32_t> from);
  /// Sequence b has no tokens; what it held is never read again.
  void clear(size_t b);
};

/// Causal attention of one layer: over whole sequences, or with a cache (dropout then off) over what it holds, too.
/// qkv [T, (A + 2 G) D] and offsets [B+1] as ops::attention and ops::cached_attention take them -> [T, A D].
Tensor causal_attention(const Tensor& qkv, const Tensor& offsets, int64_t heads, int64_t key_heads,
                        const ops::DropoutKey& key, TokenCache* cache, size_t layer);

}  // namespace suanli::models
