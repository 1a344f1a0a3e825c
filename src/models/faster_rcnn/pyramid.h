/// The feature pyramid (Lin et al. 2017; torchvision's FeaturePyramidNetwork with LastLevelMaxPool).
#pragma once

#include <vector>

#include "nn/images.h"

namespace suanli::models {

/// Uniform within sqrt(3 / fan), fan the number of inputs (torch.nn.init.kaiming_uniform_ with a = 1).
nn::Initializer kaiming_uniform(int64_t fan);

/// Maps of a backbone, each made `out` wide and added to the next smaller one's, enlarged; then a convolution of 3x3.
class FeaturePyramid {
 public:
  FeaturePyramid(nn::ParameterScope scope, const std::vector<int64_t>& widths, int64_t out);
  /// Maps [B,h,w,widths[i]], the largest first -> as many [B,h,w,out], and behind them every second place of the last.
  std::vector<Tensor> operator()(const std::vector<Tensor>& maps) const;

 private:
  std::vector<nn::Conv2d> inner_, layer_;
};

}  // namespace suanli::models
