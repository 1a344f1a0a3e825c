#include "kernels/im2row.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/tap_list.h"

namespace suanli::kernels {

namespace {

/// The rows of one line of windows, in bytes of any dtype; taps side by side within the image are one copy.
void copy_line(const Im2Row& a, int64_t line) {
  const Windows& w = a.windows;
  const int64_t size = size_of(a.dtype), channel_bytes = w.channels * size, kernel = w.horizontal.kernel;
  const bool side_by_side = w.horizontal.dilation == 1 && a.pitch == w.channels;
  const int64_t image = line / w.vertical.out, oy = line % w.vertical.out;
  const auto* x = static_cast<const std::byte*>(a.x);
  std::byte* row = static_cast<std::byte*>(a.rows) + line * w.horizontal.out * w.taps() * channel_bytes;
  const auto pixel = [&](int64_t y, int64_t column) { return x + w.pixel(image, y, column) * a.pitch * size; };
  const auto copy = [&](std::byte* to, const std::byte* from, int64_t count) {
    std::memcpy(to, from, static_cast<size_t>(count));
  };
  for (int64_t ox = 0; ox < w.horizontal.out; ++ox) {
    for (int64_t ky = 0; ky < w.vertical.kernel; ++ky, row += kernel * channel_bytes) {
      const int64_t y = w.vertical.place(oy, ky), first = w.horizontal.place(ox, 0);
      if (!w.vertical.contains(y)) {
        std::memset(row, 0, static_cast<size_t>(kernel * channel_bytes));
      } else if (side_by_side && first >= 0 && first + kernel <= w.horizontal.in) {
        copy(row, pixel(y, first), kernel * channel_bytes);
      } else {
        for (int64_t kx = 0; kx < kernel; ++kx) {
          const int64_t column = w.horizontal.place(ox, kx);
          if (w.horizontal.contains(column)) {
            copy(row + kx * channel_bytes, pixel(y, column), channel_bytes);
          } else {
            std::memset(row + kx * channel_bytes, 0, static_cast<size_t>(channel_bytes));
          }
        }
      }
    }
  }
}

}  // namespace

void add_im2row() {
  im2row.add({"copy", DeviceType::cpu, [](const Im2Row&, const Machine&) -> Refusal { return nullptr; },
              [](const Im2Row& a, Stream&) {
                parallel_for(a.windows.images * a.windows.vertical.out, line_grain(a.windows),
                             [&](int64_t begin, int64_t end) {
                               for (int64_t line = begin; line < end; ++line) copy_line(a, line);
                             });
              }});
}

}  // namespace suanli::kernels
