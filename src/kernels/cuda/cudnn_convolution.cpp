// The library's descriptors and algorithms of each shape.
#include "kernels/cuda/cudnn_convolution.h"

#include "kernels/cuda/cudnn.h"

#if SUANLI_HAS_CUDNN_H

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <mutex>
#include <span>

#include "base/error.h"
#include "kernels/cuda/launch.h"
#include "tensor/cuda/cuda_backend.h"

namespace suanli::kernels::cuda {

namespace {

constexpr size_t kMostWorkspace = size_t{256} << 20;  // as much as the rows of windows may take without the library
constexpr int kMostResults = 16;                      // twice as many as there are algorithms

void check_cudnn(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS) {
    throw EnvironmentError("convolution", std::string(call) + " failed with status " + std::to_string(status) + ", " +
                                              cudnn().cudnnGetErrorString(status));
  }
}

/// All that the choice of an algorithm depends on.
using PlanKey = std::array<int64_t, 20>;

PlanKey key_of(const ConvolutionCall& call) {
  const Windows& w = call.shape.windows;
  const WindowAxis &v = w.vertical, &h = w.horizontal;
  return {call.device.index,
          static_cast<int64_t>(call.product),
          static_cast<int64_t>(call.library_dtype()),
          call.tf32() ? 1 : 0,
          w.images,
          w.channels,
          call.shape.outputs,
          call.shape.groups,
          v.in,
          v.out,
          v.kernel,
          v.stride,
          v.padding,
          v.dilation,
          h.in,
          h.out,
          h.kernel,
          h.stride,
          h.padding,
          h.dilation};
}

struct Plan {
  cudnnTensorDescriptor_t x = nullptr, y = nullptr;
  cudnnFilterDescriptor_t weight = nullptr;
  cudnnConvolutionDescriptor_t convolution = nullptr;
  Refusal refusal = "the library has no deterministic algorithm for it";  ///< null where it has
  int algorithm = 0;                                                      ///< of the enumeration of its product
  size_t workspace = 0;
};

cudnnDataType_t data_type_of(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return CUDNN_DATA_BFLOAT16;
    case DType::f16:
      return CUDNN_DATA_HALF;
    default:
      return CUDNN_DATA_FLOAT;
  }
}

cudnnTensorDescriptor_t images_of(DType dtype, int64_t images, int64_t height, int64_t width, int64_t channels) {
  cudnnTensorDescriptor_t out = nullptr;
  check_cudnn(cudnn().cudnnCreateTensorDescriptor(&out), "cudnnCreateTensorDescriptor");
  check_cudnn(
      cudnn().cudnnSetTensor4dDescriptor(out, CUDNN_TENSOR_NHWC, data_type_of(dtype), static_cast<int>(images),
                                         static_cast<int>(channels), static_cast<int>(height), static_cast<int>(width)),
      "cudnnSetTensor4dDescriptor");
  return out;
}

Plan describe(const ConvolutionCall& call) {
  const Cudnn& library = cudnn();
  const Windows& w = call.shape.windows;
  const WindowAxis &v = w.vertical, &h = w.horizontal;
  const DType dtype = call.library_dtype();
  Plan plan;
  plan.x = images_of(dtype, w.images, v.in, h.in, call.shape.inputs());
  plan.y = images_of(dtype, w.images, v.out, h.out, call.shape.outputs);
  check_cudnn(library.cudnnCreateFilterDescriptor(&plan.weight), "cudnnCreateFilterDescriptor");
  check_cudnn(library.cudnnSetFilter4dDescriptor(plan.weight, data_type_of(dtype), CUDNN_TENSOR_NHWC,
                                                 static_cast<int>(call.shape.outputs), static_cast<int>(w.channels),
                                                 static_cast<int>(v.kernel), static_cast<int>(h.kernel)),
              "cudnnSetFilter4dDescriptor");
  check_cudnn(library.cudnnCreateConvolutionDescriptor(&plan.convolution), "cudnnCreateConvolutionDescriptor");
  check_cudnn(library.cudnnSetConvolution2dDescriptor(
                  plan.convolution, static_cast<int>(v.padding), static_cast<int>(h.padding),
                  static_cast<int>(v.stride), static_cast<int>(h.stride), static_cast<int>(v.dilation),
                  static_cast<int>(h.dilation), CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
              "cudnnSetConvolution2dDescriptor");
  check_cudnn(library.cudnnSetConvolutionGroupCount(plan.convolution, static_cast<int>(call.shape.groups)),
              "cudnnSetConvolutionGroupCount");
  return plan;
}

/// Asks the library and takes its fastest algorithm among `sums`: those that add products in an order that the shape
/// decides. The others add in the order in which blocks come to an end (atomics), or multiply transforms (Winograd,
/// Fourier), which round more than a sum of products does. `ask` is cudnnGetConvolution...Algorithm_v7.
template <class Result, class Ask, class Algorithm>
void choose(const Ask& ask, std::initializer_list<Algorithm> sums, cudnnMathType_t math, Plan& plan) {
  const auto set_math = [&](cudnnMathType_t type) {
    check_cudnn(cudnn().cudnnSetConvolutionMathType(plan.convolution, type), "cudnnSetConvolutionMathType");
  };
  set_math(math);
  std::array<Result, kMostResults> results = {};
  int count = 0;
  if (ask(kMostResults, &count, results.data()) != CUDNN_STATUS_SUCCESS) return;
  for (const Result& result : std::span(results).first(static_cast<size_t>(count))) {
    if (result.status != CUDNN_STATUS_SUCCESS || result.determinism != CUDNN_DETERMINISTIC ||
        result.memory > kMostWorkspace || std::ranges::find(sums, result.algo) == sums.end()) {
      continue;
    }
    if (math != CUDNN_FMA_MATH) set_math(result.mathType);  // an algorithm stands for one kind of arithmetic
    plan.refusal = nullptr;
    plan.algorithm = result.algo;
    plan.workspace = result.memory;
    return;
  }
}

Plan make_plan(cudnnHandle_t handle, const ConvolutionCall& call) {
  if (handle == nullptr) return {.refusal = "the library does not open on the device"};
  const Cudnn& library = cudnn();
  Plan plan = describe(call);
  // Without tf32, f32 is multiplied as it is; the default allows tf32.
  const cudnnMathType_t math = size_of(call.library_dtype()) == 2 ? CUDNN_TENSOR_OP_MATH
                               : call.tf32()                      ? CUDNN_DEFAULT_MATH
                                                                  : CUDNN_FMA_MATH;
  if (call.product == ConvolutionProduct::forward) {
    const auto ask = [&](int most, int* count, cudnnConvolutionFwdAlgoPerf_t* results) {
      return library.cudnnGetConvolutionForwardAlgorithm_v7(handle, plan.x, plan.weight, plan.convolution, plan.y, most,
                                                            count, results);
    };
    choose<cudnnConvolutionFwdAlgoPerf_t>(ask,
                                          {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                           CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_GEMM},
                                          math, plan);
  } else if (call.product == ConvolutionProduct::data) {
    const auto ask = [&](int most, int* count, cudnnConvolutionBwdDataAlgoPerf_t* results) {
      return library.cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, plan.weight, plan.y, plan.convolution, plan.x,
                                                                 most, count, results);
    };
    choose<cudnnConvolutionBwdDataAlgoPerf_t>(ask, {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1}, math, plan);
  } else {
    const auto ask = [&](int most, int* count, cudnnConvolutionBwdFilterAlgoPerf_t* results) {
      return library.cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, plan.x, plan.y, plan.convolution,
                                                                   plan.weight, most, count, results);
    };
    choose<cudnnConvolutionBwdFilterAlgoPerf_t>(ask, {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1}, math, plan);
  }
  return plan;
}

/// The plans of all shapes so far and a handle for each device; they live as long as the program.
class ConvolutionPlans {
 public:
  const Plan& get(const ConvolutionCall& call) {
    const std::lock_guard lock(mutex_);
    const PlanKey key = key_of(call);
    auto found = plans_.find(key);
    if (found == plans_.end()) found = plans_.emplace(key, make_plan(handle(call.device.index), call)).first;
    return found->second;
  }

  /// Queues the call, operands as the library takes them; they and the result lie in the memory of the plan's device.
  void run(const Plan& plan, ConvolutionProduct product, const void* first, const void* second, void* result,
           Stream& stream) {
    const Cudnn& library = cudnn();
    const Scratch workspace(stream, static_cast<int64_t>(plan.workspace));
    const float one = 1, zero = 0;
    const std::lock_guard lock(mutex_);  // the handle knows one stream at a time
    cudnnHandle_t on = handle(stream.device.index);
    check_cudnn(library.cudnnSetStream(on, static_cast<cudaStream_t>(stream.handle)), "cudnnSetStream");
    if (product == ConvolutionProduct::forward) {
      check_cudnn(library.cudnnConvolutionForward(on, &one, plan.x, first, plan.weight, second, plan.convolution,
                                                  static_cast<cudnnConvolutionFwdAlgo_t>(plan.algorithm),
                                                  workspace.memory(), plan.workspace, &zero, plan.y, result),
                  "cudnnConvolutionForward");
    } else if (product == ConvolutionProduct::data) {
      check_cudnn(library.cudnnConvolutionBackwardData(on, &one, plan.weight, second, plan.y, first, plan.convolution,
                                                       static_cast<cudnnConvolutionBwdDataAlgo_t>(plan.algorithm),
                                                       workspace.memory(), plan.workspace, &zero, plan.x, result),
                  "cudnnConvolutionBackwardData");
    } else {
      check_cudnn(
          library.cudnnConvolutionBackwardFilter(on, &one, plan.x, second, plan.y, first, plan.convolution,
                                                 static_cast<cudnnConvolutionBwdFilterAlgo_t>(plan.algorithm),
                                                 workspace.memory(), plan.workspace, &zero, plan.weight, result),
          "cudnnConvolutionBackwardFilter");
    }
  }

 private:
  /// Null where the library does not open on the device.
  cudnnHandle_t handle(int device) {
    suanli::cuda::make_current(device);
    const auto [place, is_new] = handles_.try_emplace(device, nullptr);
    if (is_new && cudnn().cudnnCreate(&place->second) != CUDNN_STATUS_SUCCESS) place->second = nullptr;
    return place->second;
  }

  std::mutex mutex_;
  std::map<int, cudnnHandle_t> handles_;
  std::map<PlanKey, Plan> plans_;
};

ConvolutionPlans& convolution_plans() {
  static ConvolutionPlans instance;
  return instance;
}

}  // namespace

Refusal refuse_algorithm(const ConvolutionCall& call) { return convolution_plans().get(call).refusal; }

void run_algorithm(const ConvolutionCall& call, const void* first, const void* second, void* result, Stream& stream) {
  convolution_plans().run(convolution_plans().get(call), call.product, first, second, result, stream);
}

}  // namespace suanli::kernels::cuda

#else

namespace suanli::kernels::cuda {

Refusal refuse_algorithm(const ConvolutionCall&) { return "the program was built without cudnn.h"; }
void run_algorithm(const ConvolutionCall&, const void*, const void*, void*, Stream&) {}

}  // namespace suanli::kernels::cuda

#endif
