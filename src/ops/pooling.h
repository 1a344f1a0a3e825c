#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// y[b,:] = mean of x[t,:] over offsets[b] <= t < offsets[b+1], 0 for an empty sequence: mean pooling of sentence
/// transformers without padding. x [T,H] floating, offsets [B+1] i32, y [B,H]; summed in f32 (f64). Gradient: x.
/// Throws UserError when offsets do not rise from 0 to T.
Tensor segment_mean(const Tensor& x, const Tensor& offsets);

/// y[r,:] = x[r,:] / max(|x[r,:]|, eps) (torch.nn.functional.normalize). x [R,H] floating; norms in f32 (f64).
/// Gradient: x.
Tensor normalize(const Tensor& x, double eps = 1e-12);

}  // namespace suanli::ops
