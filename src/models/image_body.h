/// Networks over images without their classifier: what detectors stand on.
#pragma once

#include <vector>

#include "nn/mode.h"

namespace suanli::models {

class ImageBody {
 public:
  virtual ~ImageBody() = default;
  /// The last feature map of each size, the largest first: pixels f32 [B,H,W,C] -> [B,h,w,widths()[i]] in mode.dtype.
  virtual std::vector<Tensor> stages(const Tensor& pixels, const nn::Mode& mode) const = 0;
  virtual std::vector<int64_t> widths() const = 0;
};

}  // namespace suanli::models
