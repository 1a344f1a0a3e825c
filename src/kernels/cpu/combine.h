/// The last step of every sum over rows: partial sums of row blocks become one row.
#pragma once

#include <cstdint>

namespace suanli::kernels {

/// y[c] = sum over blocks b of partial[b, c], partial [blocks, width], added in the order of the blocks.
void combine_row_blocks(const float* partial, int64_t blocks, int64_t width, float* y);

}  // namespace suanli::kernels
