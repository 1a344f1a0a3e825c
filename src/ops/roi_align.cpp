#include "ops/roi_align.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/concat.h"
#include "kernels/roi_align.h"
#include "ops/check.h"

namespace suanli::ops {

Tensor roi_align(const Tensor& x, const Tensor& all_boxes, const Tensor& images, const RoiAlignOptions& options) {
  constexpr const char* kOp = "roi_align";
  check_tensor(kOp, "x", x, 4, kFloating);
  check_tensor(kOp, "boxes", all_boxes, 2, {accumulation_dtype(x.dtype())});
  check_shape(kOp, "boxes", all_boxes, {all_boxes.dim(0), 4});
  check_tensor(kOp, "image_of", images, 1, {DType::i32});
  check_shape(kOp, "image_of", images, {all_boxes.dim(0)});
  const auto [height, width] = options.output_size;
  if (x.elements() == 0 || height < 1 || width < 1 || !(options.spatial_scale > 0) || options.sampling_ratio < 0) {
    throw UserError(kOp, concat("expected images, an output of at least 1 x 1, a spatial_scale above 0 and a "
                                "sampling_ratio of at least 0, got ",
                                x.shape().text(), ", ", height, " x ", width, ", ", options.spatial_scale, " and ",
                                options.sampling_ratio));
  }
  const Tensor host = on_host(images);
  for (const int32_t image : host.host<int32_t>()) {
    if (image < 0 || image >= x.dim(0)) {
      throw UserError(kOp, concat("expected image_of in 0..", x.dim(0) - 1, ", got ", image));
    }
  }
  const Tensor boxes = beside(x, all_boxes), image_of = beside(x, images);
  const kernels::RoiAlignSizes sizes = {.images = x.dim(0),
                                        .height = x.dim(1),
                                        .width = x.dim(2),
                                        .channels = x.dim(3),
                                        .boxes = boxes.dim(0),
                                        .out_height = height,
                                        .out_width = width,
                                        .sampling_ratio = options.sampling_ratio,
                                        .spatial_scale = options.spatial_scale,
                                        .aligned = options.aligned};
  Tensor y = Tensor::empty({sizes.boxes, height, width, sizes.channels}, x.dtype(), x.device());
  kernels::roi_align_forward(
      {x.data(), boxes.data(), static_cast<const int32_t*>(image_of.data()), y.data(), sizes, x.dtype()}, stream_of(x));
  record(kOp, y, {x}, [boxes, image_of, sizes, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernels::roi_align_backward(
        {dy.data(), boxes.data(), static_cast<const int32_t*>(image_of.data()), dx.data(), sizes, dy.dtype()},
        stream_of(dy));
    return std::vector<Tensor>{dx};
  });
  return y;
}

}  // namespace suanli::ops
