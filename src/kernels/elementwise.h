/// Element-wise kernels: activations, dropout, sums, products, casts.
#pragma once

#include "kernels/dropout_key.h"
#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

enum class Activation : uint8_t { gelu, gelu_tanh, relu, tanh, sigmoid };

/// y = f(x), element by element; computed in f32 (f64 for f64). gelu = x/2 (1 + erf(x / sqrt 2)); gelu_tanh =
/// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016). y may be x.
struct ActivationForward {
  const void* x;
  void* y;
  int64_t count;
  Activation kind;
  DType dtype;
};
inline Kernel<ActivationForward> activation_forward{"activation.forward"};
Work work_of(const ActivationForward& args);

/// dx = dy * f'(x). dx may be dy.
struct ActivationBackward {
  const void *dy, *x;
  void* dx;
  int64_t count;
  Activation kind;
  DType dtype;
};
inline Kernel<ActivationBackward> activation_backward{"activation.backward"};
Work work_of(const ActivationBackward& args);

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
