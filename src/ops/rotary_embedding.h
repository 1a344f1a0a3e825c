#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// Rotary position embedding (Su et al. 2021) of the first `heads` heads of D columns in each row, with column i of a
/// head paired with column i + D/2, as Llama does. With c and s the cosine and sine in row positions[t] of the table:
///   y[t, i] = c[i] x[t, i] - s[i] x[t, i + D/2];  y[t, i + D/2] = s[i] x[t, i] + c[i] x[t, i + D/2],  i < D/2
/// and the columns behind those heads as they are: x may be what attention() takes, with `heads` those of queries and
/// keys. x, y [T,W] floating; table [P,D] f32 (f64 beside f64), the cosines, then the sines; positions [T] i32 in
/// 0..P-1. Gradient: x. transformers: apply_rotary_pos_emb. Throws UserError when sizes, dtypes or positions do not
/// fit.
Tensor rotary_embedding(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads);

}  // namespace suanli::ops
