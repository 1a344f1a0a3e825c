/// A thread for each element of an image or of its windows; read by both halves of a .cu file.
#pragma once

#include "kernels/windows.h"

namespace suanli::kernels::cuda {

#ifdef __CUDACC__

/// The element of this thread in [lines, columns, channels] of all images.
struct ImagePlace {
  int64_t element, channel, x, y, image, count;
  __device__ ImagePlace(int64_t images, int64_t height, int64_t width, int64_t channels)
      : element(static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x),
        channel(element % channels),
        x(element / channels % width),
        y(element / channels / width % height),
        image(element / channels / width / height),
        count(images * height * width * channels) {}
  __device__ static ImagePlace of_positions(const Windows& w) {
    return {w.images, w.vertical.out, w.horizontal.out, w.channels};
  }
  __device__ static ImagePlace of_pixels(const Windows& w) {
    return {w.images, w.vertical.in, w.horizontal.in, w.channels};
  }
  __device__ bool outside() const { return element >= count; }
};

/// Calls f(pixel, tap) for the taps of a window that lie inside the image.
template <class F>
__device__ void each_pixel(const Windows& w, const ImagePlace& at, F&& f) {
  for (int64_t ky = 0; ky < w.vertical.kernel; ++ky) {
    const int64_t y = w.vertical.place(at.y, ky);
    if (!w.vertical.contains(y)) continue;
    for (int64_t kx = 0; kx < w.horizontal.kernel; ++kx) {
      const int64_t x = w.horizontal.place(at.x, kx);
      if (w.horizontal.contains(x)) f(w.pixel(at.image, y, x), ky * w.horizontal.kernel + kx);
    }
  }
}

/// Calls f(position, tap) for the windows with a tap on a pixel.
template <class F>
__device__ void each_window(const Windows& w, const ImagePlace& at, F&& f) {
  for (int64_t ky = 0; ky < w.vertical.kernel; ++ky) {
    const int64_t oy = w.vertical.window_at(at.y, ky);
    if (oy < 0) continue;
    for (int64_t kx = 0; kx < w.horizontal.kernel; ++kx) {
      const int64_t ox = w.horizontal.window_at(at.x, kx);
      if (ox >= 0) f(w.position(at.image, oy, ox), ky * w.horizontal.kernel + kx);
    }
  }
}

#endif

}  // namespace suanli::kernels::cuda
