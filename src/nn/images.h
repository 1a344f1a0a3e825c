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
    bool same_padding = false;  ///< ops::same_padding() in place of the window's
    bool bias = false;
    Initializer weight = {};       ///< null: PyTorch's default, uniform within 1 / sqrt(fan in)
    Initializer bias_values = {};  ///< null: the same
  };
  Conv2d(ParameterScope scope, int64_t in, int64_t out, const Options& options);
  /// x [B,H,W,in] -> [B,OH,OW,out].
  Tensor operator()(const Tensor& x) const;

 private:
  ops::Conv2dOptions window_;
  bool same_padding_;
  Tensor weight_, bias_;
};

/// A transposed convolution whose windows lie side by side: K times the height and width; parameters weight
/// [in, K, K, out], which files of PyTorch hold as [in, out, K, K], and bias [out], both PyTorch's default.
class ConvTranspose2d {
 public:
  ConvTranspose2d(ParameterScope scope, int64_t in, int64_t out, int64_t kernel);
  /// x [B,H,W,in] -> [B, K H, K W, out].
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_, bias_;
};

/// Where the axes of the weights of Conv2d and ConvTranspose2d stand in files; see models::StoredNames.
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
