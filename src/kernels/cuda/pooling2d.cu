// The largest and the mean value under each window of an image, and their gradients.
#include "kernels/pooling2d.h"

#include "kernels/cuda/taps.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void largest(const MaxPoolForward& args) {
  using C = Compute<T>;
  const Windows& w = args.windows;
  const ImagePlace at = ImagePlace::of_positions(w);
  if (at.outside()) return;
  C most = -infinity<C>();
  int64_t from = -1;
  each_pixel(w, at, [&](int64_t pixel, int64_t tap) {
    const C x = widen(static_cast<const T*>(args.x)[pixel * w.channels + at.channel]);
    if (from >= 0 && !(x > most || (x != x && most == most))) return;
    most = x;
    from = tap;
  });
  static_cast<T*>(args.y)[at.element] = narrow<T>(most);
  if (args.tap != nullptr) args.tap[at.element] = static_cast<int32_t>(from);
}

template <class T>
__device__ void largest_backward(const MaxPoolBackward& args) {
  const Windows& w = args.windows;
  const ImagePlace at = ImagePlace::of_pixels(w);
  if (at.outside()) return;
  Compute<T> sum = 0;
  each_window(w, at, [&](int64_t position, int64_t tap) {
    const int64_t from = position * w.channels + at.channel;
    if (args.tap[from] == tap) sum += widen(static_cast<const T*>(args.dy)[from]);
  });
  static_cast<T*>(args.dx)[at.element] = narrow<T>(sum);
}

/// How many taps the mean of a window divides by.
template <class C>
__device__ C divisor(const Windows& w, int64_t position, bool count_padding) {
  const int64_t x = position % w.horizontal.out, y = position / w.horizontal.out % w.vertical.out;
  return static_cast<C>(counted_taps(w.vertical, y, count_padding) * counted_taps(w.horizontal, x, count_padding));
}

template <class T>
__device__ void mean(const AvgPoolForward& args) {
  using C = Compute<T>;
  const Windows& w = args.windows;
  const ImagePlace at = ImagePlace::of_positions(w);
  if (at.outside()) return;
  C sum = 0;
  each_pixel(w, at, [&](int64_t pixel, int64_t) {
    sum += widen(static_cast<const T*>(args.x)[pixel * w.channels + at.channel]);
  });
  static_cast<T*>(args.y)[at.element] = narrow<T>(sum / divisor<C>(w, at.element / w.channels, args.count_padding));
}

template <class T>
__device__ void mean_backward(const AvgPoolBackward& args) {
  using C = Compute<T>;
  const Windows& w = args.windows;
  const ImagePlace at = ImagePlace::of_pixels(w);
  if (at.outside()) return;
  C sum = 0;
  each_window(w, at, [&](int64_t position, int64_t) {
    sum += widen(static_cast<const T*>(args.dy)[position * w.channels + at.channel]) /
           divisor<C>(w, position, args.count_padding);
  });
  static_cast<T*>(args.dx)[at.element] = narrow<T>(sum);
}

SUANLI_KERNELS(max_pool_forward, largest, MaxPoolForward, 256)
SUANLI_KERNELS(max_pool_backward, largest_backward, MaxPoolBackward, 256)
SUANLI_KERNELS(avg_pool_forward, mean, AvgPoolForward, 256)
SUANLI_KERNELS(avg_pool_backward, mean_backward, AvgPoolBackward, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(pooling2d);

Grid over(int64_t places, const Windows& w) { return {.x = blocks_for(places * w.channels, 256)}; }
void run_max(const MaxPoolForward& args, Stream& stream) {
  code.launch("max_pool_forward", args.dtype, over(args.windows.positions(), args.windows), stream, args);
}
void run_max_backward(const MaxPoolBackward& args, Stream& stream) {
  code.launch("max_pool_backward", args.dtype, over(args.windows.pixels(), args.windows), stream, args);
}
void run_avg(const AvgPoolForward& args, Stream& stream) {
  code.launch("avg_pool_forward", args.dtype, over(args.windows.positions(), args.windows), stream, args);
}
void run_avg_backward(const AvgPoolBackward& args, Stream& stream) {
  code.launch("avg_pool_backward", args.dtype, over(args.windows.pixels(), args.windows), stream, args);
}

}  // namespace

void add_pooling2d() {
  add(max_pool_forward, any_floating<MaxPoolForward>, run_max);
  add(max_pool_backward, any_floating<MaxPoolBackward>, run_max_backward);
  add(avg_pool_forward, any_floating<AvgPoolForward>, run_avg);
  add(avg_pool_backward, any_floating<AvgPoolBackward>, run_avg_backward);
}

}  // namespace suanli::kernels::cuda

#endif
