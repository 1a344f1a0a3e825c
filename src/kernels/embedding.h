/// Rows of a table by index, and their gradient.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// y[t,:] = table[ids[t],:]; table [V, width] of `table_dtype`, ids [rows] i32, all in 0..V-1 (checked by the op),
/// y [rows, width] of `dtype` (rounded when it differs).
struct EmbeddingForward {
  const void* table;
  const int32_t* ids;
  void* y;
  int64_t rows, vocab, width;
  DType table_dtype, dtype;
};
inline Kernel<EmbeddingForward> embedding_forward{"embedding.forward"};
Work work_of(const EmbeddingForward& args);

/// dtable[v,:] = sum over t with ids[t] = v of dy[t,:], in rising order of t (deterministic) unless atomics_allowed,
/// summed in f32 (f64) and then stored as `table_dtype`; every row of dtable is written, rows without ids with 0.
struct EmbeddingBackward {
  const void* dy;
  const int32_t* ids;
  void* dtable;
  int64_t rows, vocab, width;
  DType table_dtype, dtype;
};
inline Kernel<EmbeddingBackward> embedding_backward{"embedding.backward"};
Work work_of(const EmbeddingBackward& args);

}  // namespace suanli::kernels
