/// The two walks between windows and pixels, for the reference kernels.
#pragma once

#include "kernels/windows.h"

namespace suanli::kernels::ref {

/// Calls f(position, tap, pixel) for every tap of every window that lies inside its image, window by window.
template <class F>
void each_tap(const Windows& w, const F& f) {
  for (int64_t image = 0; image < w.images; ++image) {
    for (int64_t oy = 0; oy < w.vertical.out; ++oy) {
      for (int64_t ox = 0; ox < w.horizontal.out; ++ox) {
        for (int64_t tap = 0; tap < w.taps(); ++tap) {
          const int64_t y = w.vertical.place(oy, tap / w.horizontal.kernel);
          const int64_t x = w.horizontal.place(ox, tap % w.horizontal.kernel);
          if (!w.vertical.contains(y) || !w.horizontal.contains(x)) continue;
          f(w.position(image, oy, ox), tap, w.pixel(image, y, x));
        }
      }
    }
  }
}

}  // namespace suanli::kernels::ref
