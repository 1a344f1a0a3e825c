/// Element-wise kernels: activations, dropout, sums, products, casts.
#pragma once

#include "kernels/dropout_key.h"
#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y[i] = x[i] * dropout factor of element i. Its own gradient rule. y may be x.
struct Dropout {
  const void* x;
  void* y;
  int64_t count;
  DropoutKey dropout;
  DType dtype;
};
inline Kernel<Dropout> dropout{"dropout"};
Work work_of(const Dropout& args);

enum class Binary : uint8_t { add, multiply };

/// y = a (+ or *) b; y may be a or b.
struct BinaryForward {
  const void *a, *b;
  void* y;
  int64_t count;
  Binary kind;
  DType dtype;
};
inline Kernel<BinaryForward> binary{"binary"};
Work work_of(const BinaryForward& args);

/// y = factor * x, where the factor is `scalar` times *factor (null: 1; f32, f64 for f64 tensors). y may be x.
struct Scale {
  const void *x, *factor;
  void* y;
  int64_t count;
  double scalar;
  DType dtype;
};
inline Kernel<Scale> scale{"scale"};
Work work_of(const Scale& args);

/// y = x in another floating dtype, rounded to nearest even.
struct Cast {
  const void* x;
  void* y;
  int64_t count;
  DType from, to;
};
inline Kernel<Cast> cast{"cast"};
Work work_of(const Cast& args);

/// y[r] = sum over columns of x[r,c] * (z null ? 1 : z[r,c]); y of `dtype`, summed in f32 (f64 for f64).
struct RowDot {
  const void *x, *z;
  void* y;
  int64_t rows, width;
  DType dtype;
};
inline Kernel<RowDot> row_dot{"row_dot"};
Work work_of(const RowDot& args);

/// y[r,c] = x[r,c] * factor[r]; factor of `dtype`.
struct RowScale {
  const void *x, *factor;
  void* y;
  int64_t rows, width;
  DType dtype;
};
inline Kernel<RowScale> row_scale{"row_scale"};
Work work_of(const RowScale& args);

}  // namespace suanli::kernels
