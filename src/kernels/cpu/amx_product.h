/// Products of bf16 matrices by AMX tiles: operands packed for it, and one square of 32 x 32 results. Squares are four
/// tiles; the summed dimension goes in steps of 32. Only code that checked Isa::amx may call this.
#pragma once

#include "kernels/cpu/amx_tiles.h"

namespace suanli::kernels {

inline constexpr int64_t kSquare = 32, kStep = 32;
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

/// Rows of the left operand as tiles of 16 rows: element offsets from one row, step and half square to the next.
struct LeftTiles {
  const uint16_t* data;
  int64_t row, step, half;
};
inline LeftTiles packed_left(const uint16_t* data) { return {data, kStep, kPair, kTile}; }

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
SUANLI_AMX inline LeftTiles left_tiles(const uint16_t* x, int64_t stride, int64_t rows, int64_t depth,
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

/// c [32, 32] = left [32, 32 steps] right, rows of c `c_stride` f32 apart; `beside` runs once a step and may compute
/// while the tiles multiply. With at most 16 `rows` the lower half is left out.
template <class Beside>
SUANLI_AMX inline void multiply_square(int64_t rows, int64_t steps, LeftTiles a, const uint16_t* b, float* c,
                                       int64_t c_stride, const Beside& beside) {
  const bool lower = rows > 16;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const auto a_bytes = static_cast<size_t>(a.row) * sizeof(uint16_t);
  for (int64_t step = 0; step < steps; ++step, b += kPair, a.data += a.step) {
    _tile_loadd(4, a.data, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + kTile, 64);
    _tile_dpbf16ps(1, 4, 7);
    if (lower) {
      _tile_loadd(5, a.data + a.half, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    beside();
  }
  const auto c_bytes = static_cast<size_t>(c_stride) * sizeof(float);
  _tile_stored(0, c, c_bytes);
  _tile_stored(1, c + 16, c_bytes);
  if (!lower) return;
  _tile_stored(2, c + 16 * c_stride, c_bytes);
  _tile_stored(3, c + 16 * c_stride + 16, c_bytes);
}

}  // namespace suanli::kernels
