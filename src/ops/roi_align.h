#pragma once

#include "ops/conv2d.h"

namespace suanli::ops {

struct RoiAlignOptions {
  Pair output_size = {7, 7};
  double spatial_scale = 1;    ///< places of x for a pixel of the boxes
  int64_t sampling_ratio = 0;  ///< samples along each side of a bin; 0: one for each place of x under it, rounded up
  bool aligned = false;        ///< boxes lie half a place before their corners
};

/// The features under boxes (torchvision.ops.roi_align, channels last; He et al. 2017, section 3): each box is cut into
/// OH x OW bins, y[n,i,j,:] the mean of the samples of a bin, each interpolated between four places of x; a sample more
/// than a place outside of x counts as 0. x [B,H,W,C] floating; boxes [N,4] f32 (f64 beside f64) of (x1, y1, x2, y2)
/// and image_of [N] i32 in 0..B-1, which box is of which image; y [N,OH,OW,C]. Gradient: x, deterministic. Throws
/// UserError for an image outside, an empty x or output, and for a scale that is not above 0.
Tensor roi_align(const Tensor& x, const Tensor& boxes, const Tensor& image_of, const RoiAlignOptions& options);

}  // namespace suanli::ops
