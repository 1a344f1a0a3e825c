#include "kernels/batch_norm.h"
#include "kernels/convolution.h"
#include "kernels/depthwise.h"
#include "kernels/im2row.h"
#include "kernels/matmul.h"
#include "kernels/pooling2d.h"
#include "kernels/timing/calls.h"
#include "kernels/upsample.h"

namespace suanli::kernels {

namespace {

constexpr int64_t kImages = 8, kSide = 56, kChannels = 64;  // of the first stage of a ResNet for ImageNet

Windows windows(int64_t kernel, int64_t stride) {
  const WindowAxis axis = {
      .in = kSide, .out = kSide / stride, .kernel = kernel, .stride = stride, .padding = kernel / 2};
  return {kImages, kChannels, axis, axis};
}

void time_convolution(Calls& calls, DType t) {
  const Windows w = windows(3, 1);
  const int64_t positions = w.positions(), columns = w.taps() * kChannels;
  void *x = calls.values(w.pixels() * kChannels, t), *rows = calls.values(positions * columns, t);
  void *weight = calls.values(kChannels * columns, t), *y = calls.values(positions * kChannels, t);
  calls.add(im2row, "3x3", t, {.x = x, .rows = rows, .windows = w, .pitch = kChannels, .dtype = t});
  calls.add(row2im, "3x3", t, {.rows = rows, .bias = nullptr, .y = x, .windows = w, .pitch = kChannels, .dtype = t});
  Matmul product = {.a = rows,
                    .b = weight,
                    .bias = nullptr,
                    .c = y,
                    .m = positions,
                    .n = kChannels,
                    .k = columns,
                    .transpose_a = false,
                    .transpose_b = true,
                    .accumulate = false,
                    .dtype = t,
                    .c_dtype = t,
                    .bias_dtype = DType::f32};
  calls.add(matmul, "convolution_3x3", t, product);
  product = {.a = y,
             .b = rows,
             .bias = nullptr,
             .c = calls.values(kChannels * columns, DType::f32),
             .m = kChannels,
             .n = columns,
             .k = positions,
             .transpose_a = true,
             .transpose_b = false,
             .accumulate = false,
             .dtype = t,
             .c_dtype = DType::f32,
             .bias_dtype = DType::f32};
  calls.add(matmul, "dw_convolution_3x3", t, product);
  const ConvolutionShape whole = {w, kChannels, 1};
  const Device device = calls.stream().device;
  calls.add(convolution_forward, "3x3", t,
            {.x = x, .weight = weight, .bias = nullptr, .y = y, .shape = whole, .dtype = t, .device = device});
  calls.add(convolution_backward, "3x3", t,
            {.dy = y, .weight = weight, .bias = nullptr, .dx = x, .shape = whole, .dtype = t, .device = device});
  calls.add(convolution_weight, "3x3", t,
            {.dy = y, .x = x, .dweight = product.c, .shape = whole, .dtype = t, .device = device});
  void* taps = calls.values(w.taps() * kChannels, t);
  calls.add(depthwise_forward, "3x3", t, {.x = x, .weight = taps, .bias = nullptr, .y = y, .windows = w, .dtype = t});
  calls.add(depthwise_backward, "3x3", t, {.dy = y, .weight = taps, .dx = x, .windows = w, .dtype = t});
  calls.add(depthwise_weight, "3x3", t,
            {.dy = y, .x = x, .dweight = calls.values(w.taps() * kChannels, DType::f32), .windows = w, .dtype = t});
}

void time_batch_norm(Calls& calls, DType t) {
  const int64_t rows = kImages * kSide * kSide;
  void *x = calls.values(rows * kChannels, t), *y = calls.values(rows * kChannels, t);
  const auto column = [&] { return calls.values(kChannels, DType::f32); };
  void *mean = column(), *rstd = column(), *weight = column(), *bias = column();
  calls.add(batch_norm_statistics, "64_channels", t,
            {.x = x,
             .mean = mean,
             .rstd = rstd,
             .running_mean = nullptr,
             .running_var = nullptr,
             .rows = rows,
             .width = kChannels,
             .eps = 1e-5,
             .momentum = 0.1,
             .dtype = t});
  calls.add(batch_norm_forward, "64_channels_relu", t,
            {.x = x,
             .mean = mean,
             .rstd = rstd,
             .weight = weight,
             .bias = bias,
             .y = y,
             .rows = rows,
             .width = kChannels,
             .relu = true,
             .dtype = t});
  calls.add(batch_norm_sums, "64_channels_relu", t,
            {.dy = x,
             .x = y,
             .y = y,
             .mean = mean,
             .rstd = rstd,
             .dweight = column(),
             .dbias = column(),
             .rows = rows,
             .width = kChannels,
             .dtype = t});
  calls.add(batch_norm_backward, "64_channels_relu", t,
            {.dy = x,
             .x = y,
             .y = y,
             .mean = mean,
             .rstd = rstd,
             .weight = weight,
             .dweight = column(),
             .dbias = column(),
             .dx = calls.values(rows * kChannels, t),
             .rows = rows,
             .width = kChannels,
             .fixed = false,
             .dtype = t});
}

}  // namespace

void time_images(Calls& calls, DType t) {
  time_convolution(calls, t);
  time_batch_norm(calls, t);
  const Windows w = windows(3, 2);
  void *x = calls.values(w.pixels() * kChannels, t), *y = calls.values(w.positions() * kChannels, t);
  auto* tap = static_cast<int32_t*>(calls.zeros(w.positions() * kChannels * size_of(DType::i32)));
  calls.add(max_pool_forward, "3x3", t, {.x = x, .y = y, .tap = tap, .windows = w, .dtype = t});
  calls.add(max_pool_backward, "3x3", t, {.dy = y, .tap = tap, .dx = x, .windows = w, .dtype = t});
  calls.add(avg_pool_forward, "3x3", t, {.x = x, .y = y, .windows = w, .count_padding = true, .dtype = t});
  calls.add(avg_pool_backward, "3x3", t, {.dy = y, .dx = x, .windows = w, .count_padding = true, .dtype = t});
  const ResizeAxis twice = {.in = kSide / 2, .out = kSide, .kind = Interpolation::bilinear};
  calls.add(
      upsample_forward, "bilinear", t,
      {.x = y, .y = x, .images = kImages, .channels = kChannels, .vertical = twice, .horizontal = twice, .dtype = t});
  calls.add(
      upsample_backward, "bilinear", t,
      {.dy = x, .dx = y, .images = kImages, .channels = kChannels, .vertical = twice, .horizontal = twice, .dtype = t});
}

}  // namespace suanli::kernels
