/// How a matrix product is cut into tasks: ranges of rows and of column panels, each computed whole by one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/matmul.h"

namespace suanli::kernels {

/// A range of C: the task owns it, so no sum is shared between threads and results do not depend on their number.
struct Tile {
  int64_t row_begin, row_end, column_begin, column_end;
};

/// What the cut of a product depends on: its shape alone, never the number of threads.
struct ProductShape {
  int64_t m, n, k;
  bool transpose_a = false;
};
inline ProductShape shape_of(const Matmul& a) { return {.m = a.m, .n = a.n, .k = a.k, .transpose_a = a.transpose_a}; }

/// Tiles of about 512 x 384, halved until there are eight (or they would fall below half of `narrowest`), rounded to
/// `row_unit` and `column_unit`. The gradient of a weight (A transposed) sums over many rows: its tiles are halved
/// along the longer side alone, so that each packs the larger operand only where it needs it.
class MatmulPlan {
 public:
  MatmulPlan(const ProductShape& a, int64_t row_unit, int64_t column_unit, int64_t narrowest = 192)
      : m_(a.m), n_(a.n), row_unit_(row_unit), column_unit_(column_unit) {
    row_parts_ = (m_ + 511) / 512;
    column_parts_ = (n_ + 383) / 384;
    if (column_parts_ >= 8) row_parts_ = (m_ + 1023) / 1024;
    while (!is_small(a) && row_parts_ * column_parts_ < 8) {
      const int64_t rows = m_ / row_parts_, columns = n_ / column_parts_;
      const bool cuts_rows = a.transpose_a ? m_ >= n_ : rows > columns;
      if ((cuts_rows ? rows : columns) < narrowest) break;
      (cuts_rows ? row_parts_ : column_parts_) *= 2;
    }
  }
  /// Too little work to share: about 20 us of it.
  static bool is_small(const ProductShape& a) { return a.m * a.n * a.k < (1 << 21); }
  int64_t row_parts() const { return row_parts_; }
  int64_t column_parts() const { return column_parts_; }
  int64_t tasks() const { return row_parts_ * column_parts_; }
  Tile tile(int64_t task) const {
    const int64_t row = task / column_parts_, column = task % column_parts_;
    return {cut(m_, row, row_parts_, row_unit_), cut(m_, row + 1, row_parts_, row_unit_),
            cut(n_, column, column_parts_, column_unit_), cut(n_, column + 1, column_parts_, column_unit_)};
  }

 private:
  static int64_t cut(int64_t size, int64_t part, int64_t parts, int64_t unit) {
    return part == parts ? size : size * part / parts / unit * unit;
  }
  int64_t m_, n_, row_unit_, column_unit_, row_parts_ = 1, column_parts_ = 1;
};

/// C = bias in every row, or C += bias: all that is left of a product when K = 0.
void start_rows(const Matmul& a);

/// What fast implementations leave to the reference: start_rows() knows no epilogue, and the ops of a CPU ask for
/// slopes and column sums.
inline Refusal refuse_uncommon(const Matmul& a) {
  if (a.epilogue.sum != nullptr || a.epilogue.at != nullptr) return "keeps sums in place of slopes";
  if (a.row_sums != nullptr) return "sums the rows of A as well";
  return a.k == 0 && !a.epilogue.empty() ? "has an epilogue and nothing to sum" : nullptr;
}

}  // namespace suanli::kernels
