#include "ops/windows.h"

#include "base/concat.h"
#include "base/error.h"

namespace suanli::ops {

namespace {

kernels::WindowAxis axis_over(const char* op, const char* name, int64_t in, const WindowOptions& options, size_t i) {
  kernels::WindowAxis axis = {.in = in,
                              .out = 0,
                              .kernel = options.kernel[i],
                              .stride = options.stride[i],
                              .padding = options.padding[i],
                              .dilation = options.dilation[i]};
  const int64_t end = options.end_padding[i];
  if (axis.kernel < 1 || axis.stride < 1 || axis.dilation < 1 || axis.padding < 0 || end < 0) {
    throw UserError(
        op, concat("expected kernel, stride and dilation of at least 1 and no negative padding along the ", name,
                   ", got ", axis.kernel, ", ", axis.stride, ", ", axis.dilation, ", ", axis.padding, " and ", end));
  }
  const int64_t reach = axis.dilation * (axis.kernel - 1) + 1, room = in + 2 * axis.padding + end - reach;
  if (in < 1 || room < 0) {
    throw UserError(op, concat("expected a ", name, " of at least ", reach, " with its padding, got ", in, " + 2 * ",
                               axis.padding, " + ", end));
  }
  axis.out = room / axis.stride + 1;
  if (options.ceil && room % axis.stride != 0 && axis.out * axis.stride < in + axis.padding) ++axis.out;
  return axis;
}

}  // namespace

kernels::Windows windows_over(const char* op, const Shape& images, int64_t channels, const WindowOptions& options) {
  return {.images = images[0],
          .channels = channels,
          .vertical = axis_over(op, "height", images[1], options, 0),
          .horizontal = axis_over(op, "width", images[2], options, 1)};
}

}  // namespace suanli::ops
