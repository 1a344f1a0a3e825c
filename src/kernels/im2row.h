/// Convolutions as matrix products: the pixels under each window as one row, and the sum of rows back into pixels.
#pragma once

#include "kernels/registry.h"
#include "kernels/windows.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// rows[p, tap, c] = x[pixel under that tap of window p, c], 0 outside the image; x [pixels, pitch] with
/// windows.channels <= pitch, rows [positions, taps * channels].
struct Im2Row {
  const void* x;
  void* rows;
  Windows windows;
  int64_t pitch;
  DType dtype;
};
inline Kernel<Im2Row> im2row{"im2row"};
Work work_of(const Im2Row& args);

/// y[pixel, c] = bias[c] + sum of rows[p, tap, c] over all windows p with a tap on that pixel: the transposed map, with
/// bias (f32, f64 for f64; null: 0) for convolutions that are transposed themselves. Summed in f32 (f64).
struct Row2Im {
  const void *rows, *bias;
  void* y;
  Windows windows;
  int64_t pitch;
  DType dtype;
};
inline Kernel<Row2Im> row2im{"row2im"};
Work work_of(const Row2Im& args);

}  // namespace suanli::kernels
