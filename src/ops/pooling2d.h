#pragma once

#include "ops/conv2d.h"

namespace suanli::ops {

struct Pool2dOptions {
  Pair kernel = {2, 2};
  Pair stride = {0, 0};  ///< 0: the kernel's size
  Pair padding = {0, 0};
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< of means alone
};

/// y[b,h,w,c] = the largest x under the window (torch.nn.functional.max_pool2d, channels last); NaN where one is NaN.
/// x [B,H,W,C] floating, y [B,OH,OW,C], OH = floor((H + 2 padding - kernel) / stride) + 1, or ceil where ceil_mode, but
/// no window begins behind the image. Gradient: x, to the first of equals. Throws UserError when the padding is more
/// than half the kernel or the window larger than the padded image.
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options = {});

/// The mean under each window (torch.nn.functional.avg_pool2d), summed in f32 (f64); otherwise as max_pool2d.
Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options = {});

/// The mean over each image: [B,H,W,C] -> [B,C] (torch.nn.AdaptiveAvgPool2d(1), flattened).
Tensor global_avg_pool2d(const Tensor& x);

}  // namespace suanli::ops
