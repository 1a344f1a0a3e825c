/// The layers of networks over images, which lie channels last: [B, height, width, channels].
#pragma once

#include "nn/mode.h"
#include "nn/parameters.h"
#include "ops/batch_norm.h"
#include "ops/conv2d.h"

namespace suanli::nn {

/// Normal with mean 0 and variance 2 / fan (He et al. 2015; torch.nn.init.kaiming_normal_ of a ReLU).
Initializer kaiming_normal(int64_t fan);

/// A convolution; parameter weight [out, K, L, in/groups], which files of PyTorch hold as [out, in/groups, K, L], and
/// bias [out] where there is one.
class Conv2d {
 public:
  struct Options {
    int64_t kernel = 3;
    ops::Conv2dOptions window = {};
    bool bias = false;
    Initializer weight = {};  ///< null: PyTorch's default, uniform within 1 / sqrt(fan in), as of the bias
  };
  Conv2d(ParameterScope scope, int64_t in, int64_t out, const Options& options);
  /// x [B,H,W,in] -> [B,OH,OW,out].
  Tensor operator()(const Tensor& x) const { return ops::conv2d(x, weight_, bias_, window_); }

 private:
  ops::Conv2dOptions window_;
  Tensor weight_, bias_;
};

/// Where the axes of Conv2d's weight stand in files; see models::StoredNames.
inline const std::vector<int> kConv2dAxes = {0, 2, 3, 1};

/// Batch normalisation; parameters weight, bias [channels], 1 and 0 at first; buffers running_mean, running_var.
class BatchNorm2d {
 public:
  BatchNorm2d(ParameterScope scope, int64_t channels, double eps = 1e-5, double momentum = 0.1);
  /// x [..., channels] -> the same shape, by the statistics of the batch in training.
  Tensor operator()(const Tensor& x, const Mode& mode) const;
  /// The same, then max(., 0).
  Tensor relu(const Tensor& x, const Mode& mode) const;

 private:
  ops::BatchNormOptions options(const Mode& mode) const { return {mode.training, eps_, momentum_}; }

  Tensor weight_, bias_;
  ops::RunningStatistics running_;
  double eps_, momentum_;
};

}  // namespace suanli::nn
