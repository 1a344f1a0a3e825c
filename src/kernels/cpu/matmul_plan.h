/// How a matrix product is cut into tasks: ranges of rows and of column panels, each computed whole by one thread.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "kernels/matmul.h"

namespace suanli::kernels {

/// A range of C: the task owns it, so no sum is shared between threads and results do not depend on their number.
struct Tile {
  int64_t row_begin, row_end, column_begin, column_end;
};

/// Every task packs its own part of B, so columns are split first (down to two panels), then rows (down to 192).
class MatmulPlan {
 public:
  MatmulPlan(const Matmul& a, int64_t panel) : m_(a.m), n_(a.n), panel_(panel), panels_((a.n + panel - 1) / panel) {
    const int64_t threads = omp_get_max_threads(), wanted = is_small(a) ? 1 : 2 * threads;
    const int64_t least = (a.n + kMostColumns - 1) / kMostColumns;
    column_parts_ = std::clamp<int64_t>(std::min(threads, panels_ / 2), least, panels_);
    row_parts_ = std::clamp<int64_t>((wanted + column_parts_ - 1) / column_parts_, 1, std::max<int64_t>(1, m_ / 192));
  }
  /// Too little work to share: about 20 us of it.
  static bool is_small(const Matmul& a) { return a.m * a.n * a.k < (1 << 21); }
  int64_t tasks() const { return row_parts_ * column_parts_; }
  Tile tile(int64_t task) const {
    const int64_t row = task / column_parts_, column = task % column_parts_;
    return {cut(m_, row, row_parts_), cut(m_, row + 1, row_parts_), panel_ * (panels_ * column / column_parts_),
            std::min(n_, panel_ * (panels_ * (column + 1) / column_parts_))};
  }

 private:
  static constexpr int64_t kMostColumns = 768;  // of a task: its packed part of B stays in the second-level cache
  /// Rows are cut at multiples of 96, which every register block divides.
  static int64_t cut(int64_t rows, int64_t part, int64_t parts) {
    return part == parts ? rows : rows * part / parts / 96 * 96;
  }
  int64_t m_, n_, panel_, panels_, column_parts_ = 1, row_parts_ = 1;
};

/// C = bias in every row, or C += bias: all that is left of a product when K = 0.
void start_rows(const Matmul& a);

}  // namespace suanli::kernels
