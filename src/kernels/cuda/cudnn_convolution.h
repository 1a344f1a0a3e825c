/// A convolution as cuDNN is told it: what it is asked for, and the algorithm that it has for that.
#pragma once

#include "kernels/convolution.h"
#include "kernels/tf32.h"

namespace suanli::kernels::cuda {

/// The product that is asked for, named by its result: y, dx or dweight.
enum class ConvolutionProduct : uint8_t { forward, data, weight };

/// One call: `first` and `second` are x and weight, dy and weight, or dy and x.
struct ConvolutionCall {
  ConvolutionProduct product;
  ConvolutionShape shape;
  DType dtype;  ///< of the operands
  Device device;
  const void *first, *second, *bias;
  void* result;

  /// The library rounds its sums to the dtype of the operands. Where that would not be the only rounding (a bias is
  /// to come, or the result is f32), operands of 16 bits go to it as f32 with tf32 allowed: tf32 holds each of
  /// them, so that the products are the same and exact.
  bool widened() const { return size_of(dtype) == 2 && (bias != nullptr || product == ConvolutionProduct::weight); }
  DType library_dtype() const { return widened() ? DType::f32 : dtype; }
  bool tf32() const { return widened() || (dtype == DType::f32 && tf32_allowed); }
  int64_t first_elements() const {
    return product == ConvolutionProduct::forward ? shape.x_elements() : shape.y_elements();
  }
  int64_t second_elements() const {
    return product == ConvolutionProduct::weight ? shape.x_elements() : shape.weight_elements();
  }
};

/// Why the library cannot do it: it does not open on the device, or has no deterministic algorithm that needs little
/// enough memory; null where it can. It is asked once for all calls of a shape. The library must be there.
Refusal refuse_algorithm(const ConvolutionCall& call);

/// Queues the product of what `first` and `second` hold in the dtype that the library takes; without the bias, which is
/// left to the caller. refuse_algorithm() must be null.
void run_algorithm(const ConvolutionCall& call, const void* first, const void* second, void* result, Stream& stream);

}  // namespace suanli::kernels::cuda
