/// What a window gathers from pixels, and a pixel from windows, as lists that the SIMD loops over channels walk.
#pragma once

#include "kernels/cpu/scratch.h"
#include "kernels/windows.h"

namespace suanli::kernels {

/// One term: the pixel or position it comes from, and the tap between the two.
struct TapSource {
  int64_t source, tap;
};

/// A list that the thread keeps between calls.
inline TapSource* tap_list(const Windows& w) {
  static thread_local Scratch scratch;
  return scratch.get<TapSource>(w.taps());
}

/// The taps of the window at (oy, ox) that lie inside the image, with their pixels; returns how many.
inline int64_t list_pixels(const Windows& w, int64_t image, int64_t oy, int64_t ox, TapSource* list) {
  int64_t count = 0;
  for (int64_t ky = 0; ky < w.vertical.kernel; ++ky) {
    const int64_t y = w.vertical.place(oy, ky);
    if (!w.vertical.contains(y)) continue;
    for (int64_t kx = 0; kx < w.horizontal.kernel; ++kx) {
      const int64_t x = w.horizontal.place(ox, kx);
      if (w.horizontal.contains(x)) list[count++] = {w.pixel(image, y, x), ky * w.horizontal.kernel + kx};
    }
  }
  return count;
}

/// The windows with a tap on pixel (y, x), with their positions; returns how many.
inline int64_t list_windows(const Windows& w, int64_t image, int64_t y, int64_t x, TapSource* list) {
  int64_t count = 0;
  for (int64_t ky = 0; ky < w.vertical.kernel; ++ky) {
    const int64_t oy = w.vertical.window_at(y, ky);
    if (oy < 0) continue;
    for (int64_t kx = 0; kx < w.horizontal.kernel; ++kx) {
      const int64_t ox = w.horizontal.window_at(x, kx);
      if (ox >= 0) list[count++] = {w.position(image, oy, ox), ky * w.horizontal.kernel + kx};
    }
  }
  return count;
}

/// Calls f(position, list, count) for the windows of lines [begin, end) of all images, with list_pixels() of each.
template <class F>
void each_window(const Windows& w, int64_t begin, int64_t end, const F& f) {
  TapSource* list = tap_list(w);
  for (int64_t line = begin; line < end; ++line) {
    for (int64_t x = 0; x < w.horizontal.out; ++x) {
      const int64_t count = list_pixels(w, line / w.vertical.out, line % w.vertical.out, x, list);
      f(line * w.horizontal.out + x, list, count);
    }
  }
}

/// Calls f(pixel, list, count) for the pixels of lines [begin, end) of all images, with list_windows() of each.
template <class F>
void each_pixel(const Windows& w, int64_t begin, int64_t end, const F& f) {
  TapSource* list = tap_list(w);
  for (int64_t line = begin; line < end; ++line) {
    for (int64_t x = 0; x < w.horizontal.in; ++x) {
      const int64_t count = list_windows(w, line / w.vertical.in, line % w.vertical.in, x, list);
      f(line * w.horizontal.in + x, list, count);
    }
  }
}

/// Lines of pixels or positions that one thread takes at least: about 20 us of work.
inline int64_t line_grain(const Windows& w) {
  return 32768 / ((w.horizontal.in + w.horizontal.out) * w.channels * w.taps() + 1);
}

}  // namespace suanli::kernels
