/// The transpose of a matrix in f32.
#pragma once

#include <cstdint>

namespace suanli::kernels {

/// out [columns, rows] from x [rows, columns], both row-major and dense; on all threads.
void transpose_f32(const float* x, int64_t rows, int64_t columns, float* out);

}  // namespace suanli::kernels
