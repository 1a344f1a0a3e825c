/// The cut of rows for reductions.
#pragma once

#include <algorithm>
#include <cstdint>

namespace suanli::kernels {

/// Rows are reduced in blocks whose number depends on the row count alone, so that sums do not depend on threads.
struct RowBlocks {
  explicit RowBlocks(int64_t row_count)
      : rows(row_count), size(std::max<int64_t>(32, (row_count + 63) / 64)), count((row_count + size - 1) / size) {}
  int64_t begin(int64_t block) const { return block * size; }
  int64_t end(int64_t block) const { return std::min(rows, (block + 1) * size); }
  int64_t rows, size, count;
};

}  // namespace suanli::kernels
