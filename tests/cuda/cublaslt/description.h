/// What the handles of the cuBLASLt stand-in hold.
#pragma once

#include <cublasLt.h>

#include <cstring>
#include <map>
#include <vector>

namespace stand_in {

/// Attributes by their number, as bytes: a description, a layout or a preference.
class Attributes {
 public:
  cublasStatus_t set(int attribute, const void* value, size_t bytes) {
    const auto* first = static_cast<const char*>(value);
    values_[attribute].assign(first, first + bytes);
    return CUBLAS_STATUS_SUCCESS;
  }
  template <class T>
  T get(int attribute, T otherwise) const {
    const auto found = values_.find(attribute);
    if (found != values_.end())
      std::memcpy(&otherwise, found->second.data(), std::min(sizeof(T), found->second.size()));
    return otherwise;
  }

 private:
  std::map<int, std::vector<char>> values_;
};

struct Layout {
  cudaDataType type;
  int64_t rows, columns, stride;  // stride: from column to column, or from row to row when row_major
  bool row_major;
  int batch;
  int64_t batch_stride;
};

struct Product {
  cublasComputeType_t compute;
  cudaDataType scale;
  bool transpose_a, transpose_b;
  cublasLtEpilogue_t epilogue;
  cudaDataType bias_type, aux_type;
  uint64_t bias, aux;  // device addresses
  int64_t aux_stride;
  double alpha, beta;
  Layout a, b, c, d;
  uint64_t a_data, b_data, c_data, d_data;

  bool adds_bias() const;
  bool writes_aux() const;
  bool reads_aux() const;
  bool writes_bias_gradient() const;
  int64_t m() const { return d.rows; }
  int64_t n() const { return d.columns; }
  int64_t k() const { return transpose_a ? a.rows : a.columns; }
};

/// CUBLAS_STATUS_NOT_SUPPORTED or INVALID_VALUE for products that the stand-in, or the library, refuses.
cublasStatus_t refusal(const Product& product);

/// Computes the product over the memory of the driver's stand-in.
void compute(const Product& product);

}  // namespace stand_in
