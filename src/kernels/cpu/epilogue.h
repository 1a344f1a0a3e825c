/// What follows a product in f32, over a part of C that still lies in the cache.
#pragma once

#include "kernels/cpu/matmul_plan.h"

namespace suanli::kernels {

/// C, which holds the sums of `range`, gets the bias (when `adds_bias` and there is one) and the epilogue. C is f32.
void finish_f32(const Matmul& args, const Tile& range, bool adds_bias);

}  // namespace suanli::kernels
