/// A square of 32 x 32 sums by AMX tiles: what products of bf16 and of 8-bit integers have in common. The summed
/// dimension goes in steps of one tile row, 64 bytes. Only code that checked Isa::amx may call this.
#pragma once

#include <algorithm>

#include "kernels/cpu/amx_tiles.h"

namespace suanli::kernels {

inline constexpr int64_t kSquare = 32;

/// Rows of the left operand as tiles of 16 rows: elements from one row, step and half square to the next.
template <class Element>
struct LeftTiles {
  const Element* data;
  int64_t row, step, half;
};

/// Sums of products of pairs of bf16, and of quads of 8-bit integers: tile 0 or 1 += tile 2 x tile 3.
struct PairsOfBfloat16 {
  using Element = uint16_t;
  using Sum = float;
  SUANLI_AMX static void upper() { _tile_dpbf16ps(0, 2, 3); }
  SUANLI_AMX static void lower() { _tile_dpbf16ps(1, 2, 3); }
};
struct QuadsOfInt8 {
  using Element = int8_t;
  using Sum = int32_t;
  SUANLI_AMX static void upper() { _tile_dpbssd(0, 2, 3); }
  SUANLI_AMX static void lower() { _tile_dpbssd(1, 2, 3); }
};

/// c [32, 32] = left [32, steps] right [steps, 32], rows of c `c_stride` elements apart. `right` holds two tiles of 16
/// columns for each step, one after another. `beside` runs twice a step and may compute while the tiles multiply. With
/// at most 16 `rows` the lower half is left out.
///
/// The two halves of the columns go one after another, which takes four tiles. The core has one stock of registers for
/// the tiles of both its hardware threads: while the other thread takes its part, an instruction that writes a tile
/// waits for a free register, and with all eight tiles in use almost none is left (docs/log.md).
template <class Kind, class Beside>
SUANLI_AMX inline void multiply_square(int64_t rows, int64_t steps, LeftTiles<typename Kind::Element> left,
                                       const typename Kind::Element* right, typename Kind::Sum* c, int64_t c_stride,
                                       const Beside& beside) {
  constexpr int64_t kTile = 1024 / sizeof(*right);
  constexpr int64_t kSteps = 16;  // 32 KB of the left operand: the second half finds them in the first-level cache
  const auto row_bytes = static_cast<size_t>(left.row) * sizeof(*right);
  const auto c_bytes = static_cast<size_t>(c_stride) * sizeof(*c);
  for (int64_t begin = 0; begin == 0 || begin < steps; begin += kSteps) {
    const int64_t end = std::min(steps, begin + kSteps);
    for (int64_t half = 0; half < 2; ++half) {
      const auto *a = left.data + begin * left.step, *b = right + (2 * begin + half) * kTile;
      typename Kind::Sum *upper = c + 16 * half, *lower = upper + 16 * c_stride;
      if (begin == 0) {
        _tile_zero(0);
        _tile_zero(1);
      } else {
        _tile_loadd(0, upper, c_bytes);
        if (rows > 16) _tile_loadd(1, lower, c_bytes);
      }
      for (int64_t step = begin; step < end; ++step, a += left.step, b += 2 * kTile) {
        _tile_loadd(3, b, 64);
        _tile_loadd(2, a, row_bytes);
        Kind::upper();
        if (rows > 16) {
          _tile_loadd(2, a + left.half, row_bytes);
          Kind::lower();
        }
        beside();
      }
      _tile_stored(0, upper, c_bytes);
      if (rows > 16) _tile_stored(1, lower, c_bytes);
    }
  }
}

}  // namespace suanli::kernels
