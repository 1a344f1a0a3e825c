/// Copies that change where elements lie and nothing else.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y[r * y_pitch + c] = x[r * x_pitch + c] for r < rows, c < width: columns of one matrix into another.
struct CopyColumns {
  const void* x;
  void* y;
  int64_t rows, width, x_pitch, y_pitch;
  DType dtype;
};
inline Kernel<CopyColumns> copy_columns{"copy_columns"};
Work work_of(const CopyColumns& args);

/// y[b,c,r] = x[b,r,c] for each of `batch` matrices [rows, columns].
struct Transpose {
  const void* x;
  void* y;
  int64_t batch, rows, columns;
  DType dtype;
};
inline Kernel<Transpose> transpose{"transpose"};
Work work_of(const Transpose& args);

/// Channels become pixels (torch.nn.functional.pixel_shuffle, channels last), r = factor:
///   wide[b, h r + i, w r + j, c] = deep[b, h, w, c r^2 + i r + j]
/// deep [images, height, width, channels r^2], wide [images, height r, width r, channels]. x is deep and y wide, or
/// with `inverse` x wide and y deep.
struct PixelShuffle {
  const void* x;
  void* y;
  int64_t images, height, width, channels, factor;
  bool inverse;
  DType dtype;

  constexpr int64_t count() const { return images * height * width * channels * factor * factor; }
  /// Where in deep the element `wide` of wide lies.
  constexpr int64_t deep(int64_t wide) const {
    const int64_t c = wide % channels, column = wide / channels % (width * factor);
    const int64_t line = wide / channels / (width * factor);  // of all images: their heights are multiples of r
    const int64_t pixel = line / factor * width + column / factor;
    return ((pixel * channels + c) * factor + line % factor) * factor + column % factor;
  }
};
inline Kernel<PixelShuffle> pixel_shuffle{"pixel_shuffle"};
Work work_of(const PixelShuffle& args);

}  // namespace suanli::kernels
