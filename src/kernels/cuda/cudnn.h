/// cuDNN's functions for convolutions, found at run time. A build without its header cudnn.h has none and says so.
#pragma once

#include <string>

#if __has_include(<cudnn.h>)
#include <cudnn.h>
#define SUANLI_HAS_CUDNN_H 1
#else
#define SUANLI_HAS_CUDNN_H 0
#endif

namespace suanli::kernels::cuda {

#if SUANLI_HAS_CUDNN_H
// clang-format off
#define SUANLI_CUDNN_FUNCTIONS(F)                                                                                   \
  F(cudnnGetVersion) F(cudnnGetErrorString) F(cudnnCreate) F(cudnnSetStream)                                        \
  F(cudnnCreateTensorDescriptor) F(cudnnSetTensor4dDescriptor)                                                      \
  F(cudnnCreateFilterDescriptor) F(cudnnSetFilter4dDescriptor)                                                      \
  F(cudnnCreateConvolutionDescriptor) F(cudnnSetConvolution2dDescriptor) F(cudnnSetConvolutionMathType)             \
  F(cudnnSetConvolutionGroupCount)                                                                                  \
  F(cudnnGetConvolutionForwardAlgorithm_v7) F(cudnnConvolutionForward)                                              \
  F(cudnnGetConvolutionBackwardDataAlgorithm_v7) F(cudnnConvolutionBackwardData)                                    \
  F(cudnnGetConvolutionBackwardFilterAlgorithm_v7) F(cudnnConvolutionBackwardFilter)
// clang-format on
#else
#define SUANLI_CUDNN_FUNCTIONS(F)
#endif

struct Cudnn {
#define SUANLI_DECLARE(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
  SUANLI_CUDNN_FUNCTIONS(SUANLI_DECLARE)
#undef SUANLI_DECLARE
  std::string problem;  ///< why there is no library, and the way out; empty where there is one
  std::string version;  ///< "9.19.0"; empty where there is none
};

/// The library, opened at the first call.
const Cudnn& cudnn();

}  // namespace suanli::kernels::cuda
