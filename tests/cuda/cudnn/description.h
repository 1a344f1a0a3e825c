/// What the handles of the cuDNN stand-in hold.
#pragma once

#include <cudnn.h>

#include <cstdint>

struct cudnnTensorStruct {
  cudnnDataType_t type;
  cudnnTensorFormat_t format;
  int n = 0, c = 0, h = 0, w = 0;  // 0: not set yet
};

struct cudnnFilterStruct {
  cudnnDataType_t type;
  cudnnTensorFormat_t format;
  int k = 0, c = 0, h = 0, w = 0;
};

struct cudnnConvolutionStruct {
  int pad[2], stride[2], dilation[2];
  cudnnConvolutionMode_t mode;
  cudnnDataType_t compute;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  int groups = 0;  // 0: not set yet
};

namespace stand_in {

enum class Result { y, x, weight };

/// One call, descriptors by value: a graph may run it after they are gone.
struct Convolution {
  Result result;
  cudnnTensorStruct x, y;
  cudnnFilterStruct weight;
  cudnnConvolutionStruct map;
  float alpha, beta;
  uint64_t x_data, y_data, weight_data, workspace;  // device addresses
  int64_t workspace_bytes;
};

/// What the library says of descriptors that do not fit, or of types and layouts that it (or the stand-in) lacks.
cudnnStatus_t refusal(const Convolution& convolution);

/// Computes it over the memory of the driver's stand-in.
void compute(const Convolution& convolution);

}  // namespace stand_in
