#pragma once

#include "kernels/dropout_key.h"
#include "tensor/tensor.h"

namespace suanli::ops {

using kernels::DropoutKey;

/// Multi-head self-attention over packed sequences (Vaswani et al. 2017): softmax(q k^T / sqrt(D)) v per sequence and
/// head; no token sees another sequence, nor with `causal` a later one of its own. qkv [T, 3 A D] floating: the queries
/// of all heads, then keys, then values, as one product makes them; offsets [B+1] i32; result [T, A D]. Softmax and
/// sums in f32 (f64); dropout on the probabilities. Keeps the log-sum-exp [A,T], never the probabilities. Gradient:
/// qkv. Deterministic. torch: scaled_dot_product_attention per sequence, with is_causal. Throws UserError when widths
/// or offsets do not fit.
Tensor attention(const Tensor& qkv, const Tensor& offsets, int64_t heads, const DropoutKey& key, bool causal = false);

}  // namespace suanli::ops
