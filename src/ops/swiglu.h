#pragma once

#include "tensor/tensor.h"

namespace suanli::ops {

/// y[t,f] = silu(x[t,f]) x[t, F + f] with silu(g) = g / (1 + exp(-g)): the gated unit (Shazeer 2020; in PyTorch
/// silu(gate) * up). x [T, 2 F] floating: the gate, then what it gates, as one product makes them; y [T,F]; computed in
/// f32 (f64). Gradient: x. Throws UserError for another rank, an odd width or another dtype.
Tensor swiglu(const Tensor& x);

}  // namespace suanli::ops
