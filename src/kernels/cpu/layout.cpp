#include "kernels/layout.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {

namespace {

constexpr int64_t kTile = 32;  // both sides of a tile lie in the cache

/// Columns [begin, end) of all matrices, numbered through.
template <class Bits>
void transpose_columns(const Transpose& a, int64_t begin, int64_t end) {
  for (int64_t first = begin; first < end;) {
    const int64_t b = first / a.columns, last = std::min({end, first + kTile, (b + 1) * a.columns});
    const auto* x = static_cast<const Bits*>(a.x) + b * a.rows * a.columns;
    for (int64_t row = 0; row < a.rows; row += kTile) {
      for (int64_t c = first; c < last; ++c) {
        Bits* y = static_cast<Bits*>(a.y) + c * a.rows;
        for (int64_t r = row; r < std::min(a.rows, row + kTile); ++r) y[r] = x[r * a.columns + c - b * a.columns];
      }
    }
    first = last;
  }
}

void run_transpose(const Transpose& a, Stream&) {
  parallel_for(a.batch * a.columns, 16384 / (a.rows + 1), [&](int64_t begin, int64_t end) {
    switch (size_of(a.dtype)) {
      case 2:
        return transpose_columns<uint16_t>(a, begin, end);
      case 4:
        return transpose_columns<uint32_t>(a, begin, end);
      default:
        return transpose_columns<uint64_t>(a, begin, end);
    }
  });
}

void run_copy(const CopyColumns& a, Stream&) {
  const int64_t size = size_of(a.dtype);
  parallel_for(a.rows, 65536 / (a.width + 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      std::memcpy(static_cast<std::byte*>(a.y) + r * a.y_pitch * size,
                  static_cast<const std::byte*>(a.x) + r * a.x_pitch * size, static_cast<size_t>(a.width * size));
    }
  });
}

/// Lines [begin, end) of pixels of deep, those of all images numbered through.
template <class Bits>
void shuffle_lines(const PixelShuffle& a, int64_t begin, int64_t end) {
  const auto* x = static_cast<const Bits*>(a.x);
  auto* y = static_cast<Bits*>(a.y);
  const int64_t r = a.factor, row = a.width * r * a.channels;  // elements of a line of wide
  for (int64_t line = begin; line < end; ++line) {
    for (int64_t i = 0; i < r; ++i) {
      for (int64_t column = 0; column < a.width * r; ++column) {
        const int64_t wide = (line * r + i) * row + column * a.channels;
        const int64_t deep = ((line * a.width + column / r) * a.channels * r + i) * r + column % r;
        for (int64_t c = 0; c < a.channels; ++c) {
          if (a.inverse) {
            y[deep + c * r * r] = x[wide + c];
          } else {
            y[wide + c] = x[deep + c * r * r];
          }
        }
      }
    }
  }
}

void run_shuffle(const PixelShuffle& a, Stream&) {
  const int64_t line = a.width * a.channels * a.factor * a.factor;
  parallel_for(a.images * a.height, 16384 / (line + 1), [&](int64_t begin, int64_t end) {
    switch (size_of(a.dtype)) {
      case 2:
        return shuffle_lines<uint16_t>(a, begin, end);
      case 4:
        return shuffle_lines<uint32_t>(a, begin, end);
      default:
        return shuffle_lines<uint64_t>(a, begin, end);
    }
  });
}

template <class Args>
Refusal floating(const Args& args, const Machine&) {
  return is_floating(args.dtype) ? nullptr : "dtype is none of f32, bf16, f16, f64";
}

}  // namespace

void add_layout() {
  copy_columns.add({"copy", DeviceType::cpu, floating, run_copy});
  transpose.add({"tiles", DeviceType::cpu, floating, run_transpose});
  pixel_shuffle.add({"lines", DeviceType::cpu, floating, run_shuffle});
}

}  // namespace suanli::kernels
