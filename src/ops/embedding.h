#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// y[t,:] = table[first + ids[t],:], rounded to `dtype` (torch.nn.functional.embedding). table [V,H] floating, ids [T]
/// i32 in 0..V-first-1, y [T,H]. Gradient: table, each row the sum of its dy in rising order of t, in f32 (f64).
/// Deterministic. Throws UserError for an id outside the table.
Tensor embedding(const Tensor& table, const Tensor& ids, DType dtype, int64_t first = 0);

/// y[t,:] = x[rows[t],:] (torch.index_select along dimension 0). x [N,H] floating, rows [T] i32 in 0..N-1, y [T,H] of
/// x's dtype. Gradient and errors as for embedding.
Tensor index_select(const Tensor& x, const Tensor& rows);

}  // namespace suanli::ops
