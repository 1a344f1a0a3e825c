/// Windows from what a caller says of them, with checks; internal to ops/.
#pragma once

#include "kernels/windows.h"
#include "ops/conv2d.h"

namespace suanli::ops {

/// What a window is along both axes.
struct WindowOptions {
  Pair kernel, stride, padding, dilation = {1, 1};
  bool ceil = false;  ///< a window that begins inside the image (or its padding before it) and ends outside counts
  Pair end_padding = {0, 0};  ///< after the image alone
};

/// The windows of images x [B,H,W,C], with `channels` of them. Throws UserError for a stride, kernel or dilation below
/// 1, negative paddings, and a window larger than the padded image.
kernels::Windows windows_over(const char* op, const Shape& images, int64_t channels, const WindowOptions& options);

}  // namespace suanli::ops
