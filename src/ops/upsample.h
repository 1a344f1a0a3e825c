#pragma once

#include "kernels/upsample.h"
#include "ops/conv2d.h"

namespace suanli::ops {

using kernels::Interpolation;

/// Images of another size (torch.nn.functional.interpolate, channels last): x [B,H,W,C] -> [B, size[0], size[1], C].
/// Nearest takes pixel floor(o in / out); bilinear weighs the two on each axis around (o + 1/2) in / out - 1/2, or,
/// with align_corners, o (in - 1) / (out - 1), without antialiasing. Any floating dtype, computed in f32 (f64).
/// Gradient: x. Throws UserError for an empty image or size, and for nearest with align_corners.
Tensor upsample(const Tensor& x, const Pair& size, Interpolation kind, bool align_corners = false);

}  // namespace suanli::ops
