#include "ops/convolution.h"

#include <algorithm>

#include "base/concat.h"
#include "kernels/convolution.h"
#include "kernels/depthwise.h"
#include "kernels/im2row.h"
#include "kernels/layout.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/product.h"

namespace suanli::ops {

namespace {

/// Elements of the rows of one part of a batch: on a CPU they stay in the caches, on a GPU they fill it.
constexpr int64_t kRowsOnCpu = 1 << 20, kRowsOnGpu = 1 << 26;

/// A window over each pixel alone: the rows are the pixels themselves.
bool rows_are_pixels(const Convolution& c) {
  const kernels::WindowAxis &v = c.windows.vertical, &h = c.windows.horizontal;
  return c.windows.taps() == 1 && v.stride == 1 && h.stride == 1 && v.padding == 0 && h.padding == 0 && v.out == v.in &&
         h.out == h.in && c.groups() == 1;
}

void* at(const Tensor& tensor, int64_t element) {
  return static_cast<std::byte*>(tensor.data()) + element * size_of(tensor.dtype());
}

/// A part of a batch: whole images.
struct Part {
  kernels::Windows windows;
  int64_t first_pixel, first_position;
  int64_t positions() const { return windows.positions(); }
};

/// Calls f(part) for the parts of the batch, first to last.
template <class F>
void each_part(const Convolution& c, Device device, const F& f) {
  const kernels::Windows& w = c.windows;
  const int64_t of_image = w.vertical.out * w.horizontal.out * c.columns();
  const int64_t most = device.type == DeviceType::cpu ? kRowsOnCpu : kRowsOnGpu;
  const int64_t images = rows_are_pixels(c) ? w.images : std::max<int64_t>(1, most / of_image);
  for (int64_t first = 0; first < w.images; first += images) {
    Part part = {w, w.pixel(first, 0, 0), w.position(first, 0, 0)};
    part.windows.images = std::min(images, w.images - first);
    f(part);
  }
}

/// Memory for the rows of the largest part.
Tensor empty_rows(const Convolution& c, const Tensor& like) {
  if (rows_are_pixels(c)) return {};
  int64_t most = 0;
  each_part(c, like.device(), [&](const Part& part) { most = std::max(most, part.positions()); });
  return Tensor::empty({most, c.columns()}, like.dtype(), like.device());
}

/// The rows of a part, of the channels of group g; in `memory` unless they are the pixels.
Tensor rows_of(const Convolution& c, const Part& part, int64_t g, const Tensor& x, const Tensor& memory) {
  if (rows_are_pixels(c)) return x.rows(part.first_pixel, part.first_pixel + part.positions());
  Tensor rows = memory.rows(0, part.positions());
  kernels::im2row(
      {at(x, part.first_pixel * c.inputs + g * c.windows.channels), rows.data(), part.windows, c.inputs, x.dtype()},
      stream_of(x));
  return rows;
}

void copy_columns(const Tensor& from, int64_t first_from, const Tensor& to, int64_t first_to, int64_t width) {
  kernels::copy_columns(
      {at(from, first_from), at(to, first_to), from.dim(0), width, from.dim(1), to.dim(1), from.dtype()},
      stream_of(from));
}

/// A matrix with rows and columns exchanged.
Tensor transposed(const Tensor& x) {
  Tensor y = Tensor::empty({x.dim(1), x.dim(0)}, x.dtype(), x.device());
  kernels::transpose({x.data(), y.data(), 1, x.dim(0), x.dim(1), x.dtype()}, stream_of(x));
  return y;
}

/// The rows of a weight or bias that belong to group g.
Tensor of_group(const Convolution& c, const Tensor& tensor, int64_t g) {
  const int64_t outputs = c.outputs / c.groups();
  return tensor.defined() && c.groups() > 1 ? tensor.rows(g * outputs, (g + 1) * outputs) : tensor;
}

/// Whether a library may convolve whole images, without rows: not on a CPU, where rows stay in the caches, nor where
/// they are the pixels, so that a product is all there is to do.
bool needs_no_rows(const Convolution& c, Device device) {
  return device.type != DeviceType::cpu && !rows_are_pixels(c);
}

/// Runs the first implementation that can; false, and nothing done, where none can.
template <class Args>
bool run_where_able(const kernels::Kernel<Args>& kernel, const Args& args) {
  for (const auto& candidate : kernel.implementations()) {
    if (candidate.device != args.device.type) continue;
    const kernels::Refusal refusal = candidate.can_run(args, machine());
    if (kernels::reports_choices()) {
      const std::string why = refusal == nullptr ? "" : concat(candidate.name, ": ", refusal);
      kernels::report_choice(kernel.name(), refusal == nullptr ? candidate.name : "im2row", why);
    }
    if (refusal != nullptr) continue;
    kernel.run(candidate, args, backend(args.device).default_stream());
    return true;
  }
  return false;
}

kernels::ConvolutionShape shape_of(const Convolution& c) { return {c.windows, c.outputs, c.groups()}; }
const void* data_of(const Tensor& tensor) { return tensor.defined() ? tensor.data() : nullptr; }

/// The windows of a depthwise convolution: all channels at once.
kernels::Windows all_channels(const Convolution& c) {
  kernels::Windows w = c.windows;
  w.channels = c.inputs;
  return w;
}

}  // namespace

Tensor convolve(const Convolution& c, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y = Tensor::empty({c.windows.positions(), c.outputs}, x.dtype(), x.device());
  if (c.depthwise()) {
    const Tensor by_tap = transposed(weight);
    const Tensor wide = bias.defined() ? cast(bias, accumulation_dtype(x.dtype())) : bias;
    kernels::depthwise_forward({x.data(), by_tap.data(), data_of(wide), y.data(), all_channels(c), x.dtype()},
                               stream_of(x));
    return y;
  }
  if (needs_no_rows(c, x.device())) {
    const Tensor wide = bias.defined() ? cast(bias, accumulation_dtype(x.dtype())) : bias;
    const kernels::ConvolutionForward images = {x.data(),    weight.data(), data_of(wide), y.data(),
                                                shape_of(c), x.dtype(),     x.device()};
    if (run_where_able(kernels::convolution_forward, images)) return y;
  }
  const Tensor memory = empty_rows(c, x);
  const int64_t groups = c.groups(), outputs = c.outputs / groups;
  each_part(c, x.device(), [&](const Part& part) {
    const Tensor out = y.rows(part.first_position, part.first_position + part.positions());
    const Tensor some = groups > 1 ? Tensor::empty({part.positions(), outputs}, x.dtype(), x.device()) : out;
    for (int64_t g = 0; g < groups; ++g) {
      product(rows_of(c, part, g, x, memory), false, of_group(c, weight, g), true, of_group(c, bias, g), some);
      if (groups > 1) copy_columns(some, 0, out, g * outputs, outputs);
    }
  });
  return y;
}

Tensor convolve_transposed(const Convolution& c, const Tensor& dy, const Tensor& weight, const Tensor& bias) {
  Tensor dx = Tensor::empty({c.windows.pixels(), c.inputs}, dy.dtype(), dy.device());
  if (c.depthwise()) {
    const Tensor by_tap = transposed(weight);
    kernels::depthwise_backward({dy.data(), by_tap.data(), dx.data(), all_channels(c), dy.dtype()}, stream_of(dy));
    return dx;
  }
  const kernels::ConvolutionBackward images = {dy.data(),   weight.data(), data_of(bias), dx.data(),
                                               shape_of(c), dy.dtype(),    dy.device()};
  if (needs_no_rows(c, dy.device()) && run_where_able(kernels::convolution_backward, images)) return dx;
  const Tensor memory = empty_rows(c, dy);
  const bool direct = rows_are_pixels(c) && !bias.defined();
  const int64_t groups = c.groups(), outputs = c.outputs / groups;
  const Tensor rows = memory.defined() || direct ? memory : Tensor::empty(dx.shape(), dy.dtype(), dy.device());
  each_part(c, dy.device(), [&](const Part& part) {
    const Tensor out = dy.rows(part.first_position, part.first_position + part.positions());
    const Tensor some = groups > 1 ? Tensor::empty({part.positions(), outputs}, dy.dtype(), dy.device()) : out;
    const Tensor into = direct ? dx : rows.rows(0, part.positions());
    for (int64_t g = 0; g < groups; ++g) {
      if (groups > 1) copy_columns(out, g * outputs, some, 0, outputs);
      product(some, false, of_group(c, weight, g), false, {}, into);
      if (direct) continue;
      kernels::row2im({into.data(), data_of(bias), at(dx, part.first_pixel * c.inputs + g * c.windows.channels),
                       part.windows, c.inputs, dy.dtype()},
                      stream_of(dy));
    }
  });
  return dx;
}

Tensor convolution_weight_gradient(const Convolution& c, const Tensor& dy, const Tensor& x) {
  const DType sums = accumulation_dtype(dy.dtype());
  if (c.depthwise()) {
    Tensor by_tap = Tensor::empty({c.windows.taps(), c.outputs}, sums, dy.device());
    kernels::depthwise_weight({dy.data(), x.data(), by_tap.data(), all_channels(c), dy.dtype()}, stream_of(dy));
    return transposed(by_tap);
  }
  Tensor dweight = Tensor::empty({c.outputs, c.columns()}, sums, dy.device());
  const kernels::ConvolutionWeight images = {dy.data(), x.data(), dweight.data(), shape_of(c), dy.dtype(), dy.device()};
  if (needs_no_rows(c, dy.device()) && run_where_able(kernels::convolution_weight, images)) return dweight;
  if (c.windows.images == 0) dweight.fill_zero();
  const Tensor memory = empty_rows(c, x);
  const int64_t groups = c.groups(), outputs = c.outputs / groups;
  each_part(c, dy.device(), [&](const Part& part) {
    const Tensor out = dy.rows(part.first_position, part.first_position + part.positions());
    const Tensor some = groups > 1 ? Tensor::empty({part.positions(), outputs}, dy.dtype(), dy.device()) : out;
    for (int64_t g = 0; g < groups; ++g) {
      if (groups > 1) copy_columns(out, g * outputs, some, 0, outputs);
      product(some, true, rows_of(c, part, g, x, memory), false, {}, of_group(c, dweight, g), {},
              part.first_position > 0);
    }
  });
  return dweight;
}

}  // namespace suanli::ops
