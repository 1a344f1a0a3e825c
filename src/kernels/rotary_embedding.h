/// Rotation of pairs of columns by an angle that grows with the token's position.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// Rotary position embedding (Su et al. 2021), with column i of a head paired with column i + D/2, as in Llama. For row
/// t, each of the first `heads` heads of D = head_size columns and i < D/2, with c = table[positions[t], i] and
/// s = table[positions[t], i + D/2], the cosine and the sine of its angle:
///   y[i] = c x[i] - s x[i + D/2];  y[i + D/2] = s x[i] + c x[i + D/2]
/// Columns behind those heads are copied. With `inverse` s counts as -s: the gradient rule. x, y [tokens, width] of
/// `dtype`, y is not x; table [*, D] f32 (f64 for f64); positions [tokens] i32. D is even.
struct RotaryEmbedding {
  const void *x, *table;
  const int32_t* positions;
  void* y;
  int64_t tokens, width, heads, head_size;
  bool inverse;
  DType dtype;
};
inline Kernel<RotaryEmbedding> rotary_embedding{"rotary_embedding"};
Work work_of(const RotaryEmbedding& args);

}  // namespace suanli::kernels
