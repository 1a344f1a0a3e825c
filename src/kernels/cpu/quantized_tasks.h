/// The walk of a quantised product over its squares of 32 x 32 results, for all that multiply one square at a time.
#pragma once

#include <algorithm>

#include "base/parallel.h"
#include "kernels/cpu/matmul_plan.h"
#include "kernels/quantized_matmul.h"

namespace suanli::kernels {

inline constexpr int64_t kSide = QuantizedLayout::kRows;  ///< of a square

/// What no fast implementation does.
inline Refusal refuse_quantized(const QuantizedMatmul& a) {
  if (a.k > kMostQuantizedDepth) return "sums over so large a K might not fit 32 bits";
  if (a.bias != nullptr && a.bias_dtype != DType::f32 && a.bias_dtype != DType::bf16) {
    return "bias is neither f32 nor bf16";
  }
  return nullptr;
}

/// The part of a square that lies within C: `rows` x `columns` from (m, n).
struct QuantizedSquare {
  int64_t m, n, rows, columns;
};

/// Calls one.begin(m, rows) for each block of at most 32 rows of the task, then one.square(place, b) for each of its
/// squares, b being the square of B; one.end() after the last.
template <class One>
void each_square(const QuantizedMatmul& args, const Tile& range, One& one) {
  const int64_t square_bytes = QuantizedLayout{args.n, args.k}.square_bytes();
  for (int64_t m = range.row_begin; m < range.row_end; m += kSide) {
    const int64_t rows = std::min(kSide, range.row_end - m);
    one.begin(m, rows);
    for (int64_t n = range.column_begin; n < range.column_end; n += kSide) {
      one.square({m, n, rows, std::min(kSide, range.column_end - n)}, args.b + n / kSide * square_bytes);
    }
  }
  one.end();
}

/// Calls task(range) for the tasks of a product. One under `small` multiplications stays on the caller, unless its
/// weights alone take longer to come than other threads to wake: then each thread reads an equal part of them.
template <class Task>
void each_quantized_task(const QuantizedMatmul& args, int64_t small, const Task& task) {
  if (args.m == 0 || args.n == 0) return;
  if (args.m * args.n * args.k < small) {
    constexpr int64_t kFewBytes = int64_t{1} << 18;
    const int64_t squares = QuantizedLayout{args.n, args.k}.squares();
    return parallel_for(squares, args.n * args.k < kFewBytes ? squares : 1, [&](int64_t begin, int64_t end) {
      task(Tile{0, args.m, begin * kSide, std::min(args.n, end * kSide)});
    });
  }
  const MatmulPlan plan({.m = args.m, .n = args.n, .k = args.k}, kSide, kSide);
  parallel_tasks(plan.tasks(), false, [&](int64_t i) { task(plan.tile(i)); });
}

}  // namespace suanli::kernels
