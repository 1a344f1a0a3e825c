/// Operands of bf16 products by AMX tiles: packed in squares of 32 rows or columns, the summed dimension in steps
/// of 32. Only code that checked Isa::amx may call this.
#pragma once

#include "kernels/cpu/amx_square.h"

namespace suanli::kernels {

inline constexpr int64_t kStep = 32;
inline constexpr int64_t kTile = 512, kPair = 2 * kTile;  ///< elements of a tile, and of both tiles of a square's step

inline int64_t steps_of(int64_t depth) { return (depth + kStep - 1) / kStep; }
inline int64_t whole_squares(int64_t count) { return (count + kSquare - 1) / kSquare * kSquare; }
/// Elements that a packed operand of `count` rows (left) or columns (right) takes.
inline int64_t packed_size(int64_t count, int64_t depth) { return steps_of(count) * steps_of(depth) * kPair; }
/// Where 16 rows or columns of a step lie in a packed operand: square by square, in each step by step.
inline int64_t packed_place(int64_t at, int64_t step, int64_t steps) {
  return (at / kSquare * steps + step) * kPair + at % kSquare / 16 * kTile;
}

/// The right operand [depth, columns] from a row-major matrix of that shape, read along its rows; zeros fill up.
SUANLI_AMX inline void pack_right(const uint16_t* x, int64_t stride, int64_t depth, int64_t columns, uint16_t* out) {
  __m512i rows[16];
  for (int64_t step = 0; step < steps_of(depth); ++step) {
    for (int64_t n = 0; n < steps_of(columns) * kSquare; n += 16) {
      load_row_pairs(x + step * kStep * stride + n, stride, depth - step * kStep, columns - n, rows);
      store_tile(rows, out + packed_place(n, step, steps_of(depth)), kStep);
    }
  }
}

/// The right operand [depth, columns] from its transpose, row-major [columns, depth].
SUANLI_AMX inline void pack_right_transposed(const uint16_t* x, int64_t stride, int64_t columns, int64_t depth,
                                             uint16_t* out) {
  __m512i rows[16];
  for (int64_t n = 0; n < steps_of(columns) * kSquare; n += 16) {
    for (int64_t step = 0; step < steps_of(depth); ++step) {
      load_rows(x + n * stride + step * kStep, stride, columns - n, depth - step * kStep, rows);
      transpose_16(rows);
      store_tile(rows, out + packed_place(n, step, steps_of(depth)), kStep);
    }
  }
}

inline LeftTiles<uint16_t> packed_left(const uint16_t* data) { return {data, kStep, kPair, kTile}; }

/// The left operand [rows, depth] from its transpose, row-major [depth, rows].
SUANLI_AMX inline void pack_left_transposed(const uint16_t* x, int64_t stride, int64_t depth, int64_t rows,
                                            uint16_t* out) {
  __m512i tile[16];
  for (int64_t step = 0; step < steps_of(depth); ++step) {
    for (int64_t m = 0; m < rows; m += 16) {
      load_row_pairs(x + step * kStep * stride + m, stride, depth - step * kStep, rows - m, tile);
      transpose_16(tile);
      store_tile(tile, out + packed_place(m, step, steps_of(depth)), kStep);
    }
  }
}

/// The first 32 of `rows` rows of a row-major [rows, depth]: in place where whole tiles lie there, else copied with
/// zeros. Rows a multiple of 2 KiB apart would share two sets of the first-level cache, so those are copied too.
SUANLI_AMX inline LeftTiles<uint16_t> left_tiles(const uint16_t* x, int64_t stride, int64_t rows, int64_t depth,
                                                 uint16_t* buffer) {
  if (rows >= kSquare && depth % kStep == 0 && stride % 1024 != 0) return {x, stride, kStep, 16 * stride};
  __m512i tile[16];
  for (int64_t half = 0; half < kSquare; half += 16) {
    for (int64_t step = 0; step < steps_of(depth); ++step) {
      load_rows(x + half * stride + step * kStep, stride, rows - half, depth - step * kStep, tile);
      store_tile(tile, buffer + packed_place(half, step, steps_of(depth)), kStep);
    }
  }
  return packed_left(buffer);
}

}  // namespace suanli::kernels
