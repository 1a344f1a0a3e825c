/// Activations of f32 sums that a product has just made.
#pragma once

#include "kernels/activation.h"

namespace suanli::kernels {

/// x[i] becomes f(x[i]), and slope[i] (null: not wanted) f'(x[i]), for `count` numbers; on the calling thread.
void activate_sums(Activation f, float* x, float* slope, int64_t count);

}  // namespace suanli::kernels
