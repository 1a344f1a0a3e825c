#pragma once

#include "kernels/dropout_key.h"
#include "tensor/tensor.h"

namespace suanli::ops {

using kernels::DropoutKey;

/// Multi-head self-attention over packed sequences (Vaswani et al. 2017): softmax(q k^T / sqrt(D)) v per sequence and
/// head; no token sees another sequence, nor with `causal` a later one of its own. qkv [T, (A + 2 G) D] floating: the
/// queries of A heads, then the keys of G heads, then their values, as one product makes them; query head a reads key
/// head a / (A / G) (grouped queries, Ainslie et al. 2023; `key_heads` 0: G = A). offsets [B+1] i32; result [T, A D].
/// Softmax and sums in f32 (f64); dropout on the probabilities. Keeps the log-sum-exp [A,T], never the probabilities.
/// Gradient: qkv. Deterministic. torch: scaled_dot_product_attention per sequence, with is_causal and enable_gqa.
/// Throws UserError when widths, heads or offsets do not fit.
Tensor attention(const Tensor& qkv, const Tensor& offsets, int64_t heads, const DropoutKey& key, bool causal = false,
                 int64_t key_heads = 0);

/// A [T, (A + 2 G) D] tensor as attention takes it: where its parts begin.
struct PackedHeads {
  /// Throws UserError "[op] ..." unless the width fits A and G heads and G divides A; key_heads 0: G = A.
  PackedHeads(const char* op, const Tensor& qkv, int64_t heads, int64_t key_heads);
  int64_t heads, key_heads, head_size;
  int64_t group() const { return heads / key_heads; }
  void* queries(const Tensor& qkv) const { return column(qkv, 0); }
  void* keys(const Tensor& qkv) const { return column(qkv, heads * head_size); }
  void* values(const Tensor& qkv) const { return column(qkv, (heads + key_heads) * head_size); }

 private:
  static void* column(const Tensor& qkv, int64_t column);
};

}  // namespace suanli::ops
