/// The windows of convolutions and pooling over images that lie channels last, [images, height, width, channels].
#pragma once

#include <cstdint>

namespace suanli::kernels {

/// Windows along one axis: tap k of window o lies at place o * stride - padding + k * dilation of the input.
struct WindowAxis {
  int64_t in, out, kernel, stride = 1, padding = 0, dilation = 1;

  constexpr int64_t place(int64_t window, int64_t tap) const { return window * stride - padding + tap * dilation; }
  /// The window whose tap lies at `place`; -1: none.
  constexpr int64_t window_at(int64_t place, int64_t tap) const {
    const int64_t distance = place + padding - tap * dilation;
    if (distance < 0 || distance % stride != 0 || distance / stride >= out) return -1;
    return distance / stride;
  }
  constexpr bool contains(int64_t place) const { return place >= 0 && place < in; }
};

struct Windows {
  int64_t images, channels;
  WindowAxis vertical, horizontal;

  constexpr int64_t taps() const { return vertical.kernel * horizontal.kernel; }
  constexpr int64_t pixels() const { return images * vertical.in * horizontal.in; }
  /// Number of windows in all images.
  constexpr int64_t positions() const { return images * vertical.out * horizontal.out; }
  /// The pixel at row y, column x of an image, counted through all images; the position likewise.
  constexpr int64_t pixel(int64_t image, int64_t y, int64_t x) const {
    return (image * vertical.in + y) * horizontal.in + x;
  }
  constexpr int64_t position(int64_t image, int64_t y, int64_t x) const {
    return (image * vertical.out + y) * horizontal.out + x;
  }
};

}  // namespace suanli::kernels
