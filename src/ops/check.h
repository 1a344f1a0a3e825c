/// The checks that ops share: every message starts with the op and holds the real shapes and dtypes.
#pragma once

#include <initializer_list>

#include "tensor/tensor.h"

namespace suanli::ops {

/// Throws UserError unless `tensor` is defined, has `rank` dimensions and one of the dtypes.
void check_tensor(const char* op, const char* name, const Tensor& tensor, int rank,
                  std::initializer_list<DType> dtypes);
/// Throws UserError unless the shapes are equal.
void check_shape(const char* op, const char* name, const Tensor& tensor, const Shape& wanted);
/// Throws UserError unless the dtypes are equal.
void check_dtype(const char* op, const char* name, const Tensor& tensor, DType wanted);
/// Throws UserError unless both are on one device.
void check_device(const char* op, const Tensor& a, const Tensor& b);
/// Indices (ids, labels, offsets) where the data is: ops check them on the host, their kernels read them beside the
/// data.
Tensor beside(const Tensor& data, const Tensor& indices);
/// Indices on the CPU, for a check.
Tensor on_host(const Tensor& indices);
/// The longest of some sequences, and the sum of their squared lengths.
struct SequenceLengths {
  int64_t longest = 0;
  double pairs = 0;
};
/// Throws UserError unless `offsets` [B+1] i32 rises from 0 to `rows`.
SequenceLengths check_offsets(const char* op, const Tensor& offsets, int64_t rows);

/// f32, bf16, f16, f64.
inline constexpr std::initializer_list<DType> kFloating = {DType::f32, DType::bf16, DType::f16, DType::f64};

/// The stream on which an op over `tensor` runs.
inline Stream& stream_of(const Tensor& tensor) { return backend(tensor.device()).default_stream(); }

}  // namespace suanli::ops
