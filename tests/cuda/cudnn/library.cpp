/// The functions of cuDNN that the product uses. A convolution runs in its stream's order, as a host function of the
/// driver's stand-in. SUANLI_STAND_IN_CUDNN=refuse: the library does not open on a device.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <vector>

#include "../library_memory.h"
#include "description.h"

using stand_in::Convolution;
using stand_in::Result;

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

std::atomic<int> questions = 0, convolutions = 0;

int64_t workspace_of(const Convolution& c) { return 256 + 16 * int64_t{c.weight.k}; }

Convolution convolution_of(Result result, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t y,
                           cudnnFilterDescriptor_t weight, cudnnConvolutionDescriptor_t map) {
  Convolution out{};
  out.result = result;
  out.x = *x, out.y = *y, out.weight = *weight, out.map = *map;
  return out;
}

/// One answer of cudnnGetConvolution...Algorithm_v7.
template <class Algorithm>
struct Offer {
  Algorithm algorithm;
  cudnnStatus_t status;
  bool deterministic;
  int64_t workspace;
};

/// The library orders its answers by the time that it expects, whatever else is to be said of them. Of these only one
/// is deterministic, a sum of products, of little memory and supported.
template <class Perf, class Algorithm>
cudnnStatus_t answer(const Convolution& c, std::initializer_list<Offer<Algorithm>> offers, int most, int* count,
                     Perf* results) {
  ++questions;
  *count = 0;
  if (most < 1) return CUDNN_STATUS_BAD_PARAM;
  if (const cudnnStatus_t status = stand_in::refusal(c); status != CUDNN_STATUS_SUCCESS) return status;
  for (const Offer<Algorithm>& offer : offers) {
    if (*count == most) break;
    Perf& to = results[(*count)++];
    to = {};
    to.algo = offer.algorithm;
    to.status = offer.status;
    to.time = static_cast<float>(*count);
    to.memory = static_cast<size_t>(offer.workspace);
    to.determinism = offer.deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
    to.mathType = c.map.math;
  }
  return CUDNN_STATUS_SUCCESS;
}

void run_convolution(void* convolution) { stand_in::compute(*static_cast<const Convolution*>(convolution)); }

/// Every call stays: a graph that captured it may run it at any time.
Convolution& keep(const Convolution& convolution) {
  static std::mutex mutex;
  static std::deque<Convolution> all;
  const std::lock_guard lock(mutex);
  return all.emplace_back(convolution);
}

struct Arguments {
  cudnnHandle_t handle;
  const void *alpha, *beta, *x, *y, *weight;
  void* workspace;
  size_t workspace_bytes;
  bool sums_products;  // the algorithm is one that the stand-in computes
};

cudnnStatus_t refused(const char* why, cudnnStatus_t status) {
  std::fprintf(stderr, "[cudnn stand-in] %s\n", why);
  return status;
}

cudnnStatus_t run(Convolution c, const Arguments& args) {
  if (!args.handle || !args.alpha || !args.beta || !args.x || !args.y || !args.weight)
    return refused("a null pointer", CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  if (const cudnnStatus_t status = stand_in::refusal(c); status != CUDNN_STATUS_SUCCESS)
    return refused("descriptors that do not fit", status);
  if (!args.sums_products) return refused("an algorithm that it did not offer here", CUDNN_STATUS_NOT_SUPPORTED);
  const auto address = [](const void* p) { return reinterpret_cast<uint64_t>(p); };
  c.x_data = address(args.x), c.y_data = address(args.y), c.weight_data = address(args.weight);
  for (const uint64_t data : {c.x_data, c.y_data, c.weight_data}) {
    if (data % 16 != 0) return refused("an array off 16 bytes", CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
  }
  if (args.workspace_bytes < static_cast<size_t>(workspace_of(c)) || !args.workspace)
    return refused("a workspace that is too small", CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
  c.workspace = address(args.workspace), c.workspace_bytes = workspace_of(c);
  c.alpha = *static_cast<const float*>(args.alpha), c.beta = *static_cast<const float*>(args.beta);
  ++convolutions;
  return stand_in::queue(args.handle->stream, run_convolution, &keep(c)) ? CUDNN_STATUS_SUCCESS
                                                                         : CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER;
}

}  // namespace

namespace stand_in {

cudnnStatus_t refusal(const Convolution& c) {
  if (c.x.n < 1 || c.y.n < 1 || c.weight.k < 1 || c.map.groups < 1) return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
  if (c.x.type != c.y.type || c.x.type != c.weight.type) return CUDNN_STATUS_BAD_PARAM;
  if (c.x.n != c.y.n || c.x.c != c.weight.c * c.map.groups || c.y.c != c.weight.k || c.weight.k % c.map.groups != 0)
    return CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH;
  const int in[] = {c.x.h, c.x.w}, out[] = {c.y.h, c.y.w}, taps[] = {c.weight.h, c.weight.w};
  for (int i = 0; i < 2; ++i) {
    const int room = in[i] + 2 * c.map.pad[i] - c.map.dilation[i] * (taps[i] - 1) - 1;
    if (room < 0 || out[i] != room / c.map.stride[i] + 1) return CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH;
  }
  // Channels last, the library has these types; channels first is not in the stand-in.
  if (c.x.format != CUDNN_TENSOR_NHWC || c.y.format != CUDNN_TENSOR_NHWC || c.weight.format != CUDNN_TENSOR_NHWC)
    return CUDNN_STATUS_NOT_SUPPORTED_LAYOUT;
  const bool known = c.x.type == CUDNN_DATA_FLOAT || c.x.type == CUDNN_DATA_HALF || c.x.type == CUDNN_DATA_BFLOAT16;
  if (!known || c.map.compute != CUDNN_DATA_FLOAT) return CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE;
  if (c.map.mode != CUDNN_CROSS_CORRELATION) return CUDNN_STATUS_NOT_SUPPORTED;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace stand_in

extern "C" {

/// For tests: how often an algorithm was asked for, and how many convolutions were queued.
int stand_in_cudnn_questions() { return questions; }
int stand_in_cudnn_convolutions() { return convolutions; }

size_t cudnnGetVersion() { return CUDNN_VERSION; }
const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_SUCCESS ? "CUDNN_STATUS_SUCCESS" : "CUDNN_STATUS of the stand-in";
}

/// As the library does, it takes memory of the device: not within a capture.
cudnnStatus_t cudnnCreate(cudnnHandle_t* out) {
  static const auto allocate = stand_in::of_driver<CUresult (*)(CUdeviceptr*, size_t)>("cuMemAlloc_v2");
  const char* refuse = std::getenv("SUANLI_STAND_IN_CUDNN");
  if (refuse && std::string_view(refuse) == "refuse") return CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER;
  CUdeviceptr memory = 0;
  if (!allocate || allocate(&memory, 4096) != CUDA_SUCCESS) return CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  return *out = new cudnnContext, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return handle->stream = stream, CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* out) {
  return *out = new cudnnTensorStruct{}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  if (!tensor || std::min({n, c, h, w}) < 1) return CUDNN_STATUS_BAD_PARAM;
  return *tensor = {type, format, n, c, h, w}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* out) {
  return *out = new cudnnFilterStruct{}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  if (!filter || std::min({k, c, h, w}) < 1) return CUDNN_STATUS_BAD_PARAM;
  return *filter = {type, format, k, c, h, w}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* out) {
  return *out = new cudnnConvolutionStruct{}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t map, int pad_h, int pad_w, int stride_h,
                                              int stride_w, int dilation_h, int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t compute) {
  if (!map || std::min(pad_h, pad_w) < 0 || std::min({stride_h, stride_w, dilation_h, dilation_w}) < 1)
    return CUDNN_STATUS_BAD_PARAM;
  *map = {{pad_h, pad_w}, {stride_h, stride_w}, {dilation_h, dilation_w}, mode, compute, CUDNN_DEFAULT_MATH, 1};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t map, cudnnMathType_t math) {
  return map->math = math, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t map, int groups) {
  if (groups < 1) return CUDNN_STATUS_BAD_PARAM;
  return map->groups = groups, CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                     const cudnnFilterDescriptor_t weight,
                                                     const cudnnConvolutionDescriptor_t map,
                                                     const cudnnTensorDescriptor_t y, int most, int* count,
                                                     cudnnConvolutionFwdAlgoPerf_t* results) {
  const Convolution c = convolution_of(Result::y, x, y, weight, map);
  return answer<cudnnConvolutionFwdAlgoPerf_t, cudnnConvolutionFwdAlgo_t>(
      c,
      {{CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_STATUS_SUCCESS, false, 0},
       {CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED, CUDNN_STATUS_SUCCESS, true, 4096},
       {CUDNN_CONVOLUTION_FWD_ALGO_GEMM, CUDNN_STATUS_SUCCESS, true, int64_t{4} << 30},
       {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, CUDNN_STATUS_SUCCESS, true, workspace_of(c)},
       {CUDNN_CONVOLUTION_FWD_ALGO_DIRECT, CUDNN_STATUS_NOT_SUPPORTED, true, 0}},
      most, count, results);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t, const cudnnFilterDescriptor_t weight,
                                                          const cudnnTensorDescriptor_t y,
                                                          const cudnnConvolutionDescriptor_t map,
                                                          const cudnnTensorDescriptor_t x, int most, int* count,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* results) {
  const Convolution c = convolution_of(Result::x, x, y, weight, map);
  return answer<cudnnConvolutionBwdDataAlgoPerf_t, cudnnConvolutionBwdDataAlgo_t>(
      c,
      {{CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, CUDNN_STATUS_SUCCESS, false, 0},
       {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, CUDNN_STATUS_SUCCESS, true, workspace_of(c)}},
      most, count, results);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                            const cudnnTensorDescriptor_t y,
                                                            const cudnnConvolutionDescriptor_t map,
                                                            const cudnnFilterDescriptor_t weight, int most, int* count,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* results) {
  const Convolution c = convolution_of(Result::weight, x, y, weight, map);
  return answer<cudnnConvolutionBwdFilterAlgoPerf_t, cudnnConvolutionBwdFilterAlgo_t>(
      c,
      {{CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, CUDNN_STATUS_SUCCESS, false, 0},
       {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, CUDNN_STATUS_NOT_SUPPORTED, true, 0},
       {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, CUDNN_STATUS_SUCCESS, true, workspace_of(c)}},
      most, count, results);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t x_map,
                                      const void* x, const cudnnFilterDescriptor_t weight_map, const void* weight,
                                      const cudnnConvolutionDescriptor_t map, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* workspace, size_t workspace_bytes, const void* beta,
                                      const cudnnTensorDescriptor_t y_map, void* y) {
  return run(convolution_of(Result::y, x_map, y_map, weight_map, map),
             {handle, alpha, beta, x, y, weight, workspace, workspace_bytes,
              algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM});
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                           const cudnnFilterDescriptor_t weight_map, const void* weight,
                                           const cudnnTensorDescriptor_t y_map, const void* y,
                                           const cudnnConvolutionDescriptor_t map,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           size_t workspace_bytes, const void* beta,
                                           const cudnnTensorDescriptor_t x_map, void* x) {
  return run(
      convolution_of(Result::x, x_map, y_map, weight_map, map),
      {handle, alpha, beta, x, y, weight, workspace, workspace_bytes, algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1});
}
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                             const cudnnTensorDescriptor_t x_map, const void* x,
                                             const cudnnTensorDescriptor_t y_map, const void* y,
                                             const cudnnConvolutionDescriptor_t map,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace,
                                             size_t workspace_bytes, const void* beta,
                                             const cudnnFilterDescriptor_t weight_map, void* weight) {
  return run(convolution_of(Result::weight, x_map, y_map, weight_map, map),
             {handle, alpha, beta, x, y, weight, workspace, workspace_bytes,
              algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1});
}

}  // extern "C"
