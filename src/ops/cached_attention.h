#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// Causal attention of new tokens over all earlier ones of their sequence, for generation: attention() of the whole
/// sequences, of which the keys and values computed before lie in a cache and the rows of earlier tokens are left out.
/// qkv [T, (A + 2 G) D] floating, new tokens of B sequences at offsets [B+1] i32, parts as in attention(); keys, values
/// [B, G, C, D] of qkv's dtype: place j of sequence b holds its token j, lengths[b] of them before the call (lengths
/// [B] i32). Writes the new keys and values behind those. Result [T, A D]. Softmax and sums in f32 (f64).
/// Deterministic. New sequences and those that go on have a kernel each, whatever stands beside them. Overwriting the
/// cache leaves nothing to differentiate: throws UserError when qkv wants a gradient, when sizes, dtypes or devices do
/// not fit, or a sequence outgrows C.
Tensor cached_attention(const Tensor& qkv, const Tensor& offsets, const Tensor& lengths, const Tensor& keys,
                        const Tensor& values, int64_t heads);

}  // namespace suanli::ops
