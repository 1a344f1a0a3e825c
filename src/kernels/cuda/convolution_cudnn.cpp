// Convolutions through cuDNN, in the layouts that ours have: images [B,H,W,C], weights [O,K,L,I/groups].
#include <algorithm>
#include <array>
#include <limits>

#include "kernels/cuda/add.h"
#include "kernels/cuda/cudnn.h"
#include "kernels/cuda/cudnn_convolution.h"
#include "kernels/cuda/matmul_finish.h"
#include "kernels/elementwise.h"

namespace suanli::kernels::cuda {

namespace {

ConvolutionCall call_of(const ConvolutionForward& args) {
  return {ConvolutionProduct::forward, args.shape, args.dtype, args.device, args.x, args.weight, args.bias, args.y};
}
ConvolutionCall call_of(const ConvolutionBackward& args) {
  return {ConvolutionProduct::data, args.shape, args.dtype, args.device, args.dy, args.weight, args.bias, args.dx};
}
ConvolutionCall call_of(const ConvolutionWeight& args) {
  return {ConvolutionProduct::weight, args.shape, args.dtype, args.device, args.dy, args.x, nullptr, args.dweight};
}

/// The library pads both sides of an axis alike.
bool padded_alike(const WindowAxis& axis) {
  return axis.out == (axis.in + 2 * axis.padding - axis.dilation * (axis.kernel - 1) - 1) / axis.stride + 1;
}

Refusal refuse(const ConvolutionCall& call) {
  if (!cudnn().problem.empty()) return "libcudnn is missing";
  if (!is_floating(call.dtype) || call.dtype == DType::f64) return "dtype is none of f32, bf16, f16";
  const ConvolutionShape& shape = call.shape;
  const std::array elements = {shape.x_elements(), shape.weight_elements(), shape.y_elements()};
  if (std::ranges::min(elements) == 0) return "there is nothing to sum";
  if (std::ranges::max(elements) > std::numeric_limits<int>::max()) return "an array has 2^31 elements or more";
  if (!padded_alike(shape.windows.vertical) || !padded_alike(shape.windows.horizontal)) {
    return "the padding is not the same on both sides";
  }
  for (const void* array : {call.first, call.second, static_cast<const void*>(call.result)}) {
    if (reinterpret_cast<uintptr_t>(array) % 16 != 0) return "an array does not lie on 16 bytes";
  }
  return refuse_algorithm(call);
}

/// `count` elements of 16 bits as f32.
class AsF32 {
 public:
  AsF32(const void* from, int64_t count, DType dtype, Stream& stream) : memory_(stream, count * size_of(DType::f32)) {
    cast({.x = from, .y = memory_.memory(), .count = count, .from = dtype, .to = DType::f32}, stream);
  }
  const void* memory() const { return memory_.memory(); }

 private:
  Scratch memory_;
};

void convolve(const ConvolutionCall& call, void* result, Stream& stream) {
  if (!call.widened()) return run_algorithm(call, call.first, call.second, result, stream);
  const AsF32 first(call.first, call.first_elements(), call.dtype, stream);
  const AsF32 second(call.second, call.second_elements(), call.dtype, stream);
  run_algorithm(call, first.memory(), second.memory(), result, stream);
}

/// The sums of the call, and a bias for each of the result's `width` channels, by the kernel that ends a product.
void run_call(const ConvolutionCall& call, int64_t width, Stream& stream) {
  if (call.bias == nullptr) return convolve(call, call.result, stream);
  const int64_t elements =
      call.product == ConvolutionProduct::forward ? call.shape.y_elements() : call.shape.x_elements();
  Matmul rows = {};
  rows.bias = call.bias;
  rows.c = call.result;
  rows.m = elements / width;
  rows.n = width;
  rows.dtype = rows.c_dtype = call.dtype;
  rows.bias_dtype = DType::f32;
  const SumsOfMatmul sums(rows, stream);
  convolve(call, sums.memory(), stream);
  sums.finish(stream);
}

template <class Args>
Refusal can_run(const Args& args, const Machine&) {
  return refuse(call_of(args));
}
void run_forward(const ConvolutionForward& args, Stream& stream) {
  run_call(call_of(args), args.shape.outputs, stream);
}
void run_backward(const ConvolutionBackward& args, Stream& stream) {
  run_call(call_of(args), args.shape.inputs(), stream);
}
void run_weight(const ConvolutionWeight& args, Stream& stream) { run_call(call_of(args), args.shape.outputs, stream); }

}  // namespace

void add_convolution_cudnn() {
  convolution_forward.add({"cudnn", DeviceType::cuda, can_run<ConvolutionForward>, run_forward});
  convolution_backward.add({"cudnn", DeviceType::cuda, can_run<ConvolutionBackward>, run_backward});
  convolution_weight.add({"cudnn", DeviceType::cuda, can_run<ConvolutionWeight>, run_weight});
}

}  // namespace suanli::kernels::cuda
