/// What the backward passes of attention begin with.
#pragma once

#include "kernels/attention.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

/// delta [heads, tokens] = dout . out for each head and row, in the dtype of sums.
void attention_delta(const AttentionBackward& args, void* delta, Stream& stream);

}  // namespace suanli::kernels::cuda
