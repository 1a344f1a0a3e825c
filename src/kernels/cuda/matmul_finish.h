/// The sums of a matrix product and what becomes of them, for products whose kernel cannot do it itself.
#pragma once

#include <optional>

#include "kernels/cuda/launch.h"
#include "kernels/matmul.h"

namespace suanli::kernels::cuda {

/// Where a kernel puts the sums [M,N] of a product, in the dtype of sums: C itself where that can hold them, else
/// memory for the length of the call.
class SumsOfMatmul {
 public:
  SumsOfMatmul(const Matmul& args, Stream& stream);
  void* memory() const { return memory_; }
  /// C = epilogue(sums + (accumulate ? C : 0) + bias), and the sums of A's rows where they are wanted.
  void finish(Stream& stream) const;

 private:
  const Matmul& args_;
  bool plain_;
  void* memory_;
  std::optional<Scratch> scratch_;
};

/// The sums of A's rows, where they are wanted, by a kernel of their own.
void sum_rows_of_a(const Matmul& args, Stream& stream);

/// Why neither the tiled product nor finish() takes the dtypes; null where they do.
Refusal refuse_matmul_dtypes(const Matmul& args);

}  // namespace suanli::kernels::cuda
