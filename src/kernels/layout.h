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

}  // namespace suanli::kernels
