// Windows as rows of a matrix and back, and convolutions of each channel by itself.
#include "kernels/cuda/columns.h"
#include "kernels/cuda/taps.h"
#include "kernels/depthwise.h"
#include "kernels/im2row.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

/// A thread for each element of the rows: neighbouring threads read and write neighbouring channels.
template <class T>
__device__ void gather_rows(const Im2Row& args) {
  const Windows& w = args.windows;
  const int64_t element = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t channel = element % w.channels, tap = element / w.channels % w.taps();
  const int64_t position = element / w.channels / w.taps();
  if (position >= w.positions()) return;
  const int64_t ox = position % w.horizontal.out, oy = position / w.horizontal.out % w.vertical.out;
  const int64_t image = position / w.horizontal.out / w.vertical.out;
  const int64_t y = w.vertical.place(oy, tap / w.horizontal.kernel);
  const int64_t x = w.horizontal.place(ox, tap % w.horizontal.kernel);
  T value = narrow<T>(0);
  if (w.vertical.contains(y) && w.horizontal.contains(x)) {
    value = static_cast<const T*>(args.x)[w.pixel(image, y, x) * args.pitch + channel];
  }
  static_cast<T*>(args.rows)[element] = value;
}

template <class T>
__device__ void scatter_rows(const Row2Im& args) {
  using C = Compute<T>;
  const Windows& w = args.windows;
  const ImagePlace at = ImagePlace::of_pixels(w);
  if (at.outside()) return;
  C sum = args.bias == nullptr ? C{0} : static_cast<const C*>(args.bias)[at.channel];
  each_window(w, at, [&](int64_t position, int64_t tap) {
    sum += widen(static_cast<const T*>(args.rows)[(position * w.taps() + tap) * w.channels + at.channel]);
  });
  static_cast<T*>(args.y)[at.element / w.channels * args.pitch + at.channel] = narrow<T>(sum);
}

template <class T>
__device__ void depthwise(const DepthwiseForward& args) {
  using C = Compute<T>;
  const Windows& w = args.windows;
  const ImagePlace at = ImagePlace::of_positions(w);
  if (at.outside()) return;
  C sum = args.bias == nullptr ? C{0} : static_cast<const C*>(args.bias)[at.channel];
  each_pixel(w, at, [&](int64_t pixel, int64_t tap) {
    sum += widen(static_cast<const T*>(args.x)[pixel * w.channels + at.channel]) *
           widen(static_cast<const T*>(args.weight)[tap * w.channels + at.channel]);
  });
  static_cast<T*>(args.y)[at.element] = narrow<T>(sum);
}

template <class T>
__device__ void depthwise_transposed(const DepthwiseBackward& args) {
  using C = Compute<T>;
  const Windows& w = args.windows;
  const ImagePlace at = ImagePlace::of_pixels(w);
  if (at.outside()) return;
  C sum = 0;
  each_window(w, at, [&](int64_t position, int64_t tap) {
    sum += widen(static_cast<const T*>(args.dy)[position * w.channels + at.channel]) *
           widen(static_cast<const T*>(args.weight)[tap * w.channels + at.channel]);
  });
  static_cast<T*>(args.dx)[at.element] = narrow<T>(sum);
}

/// Partial sums over chunks of positions, as of the columns of a matrix [positions, taps * channels].
template <class T>
__device__ void depthwise_products(const DepthwiseWeight& args) {
  using C = Compute<T>;
  const Windows& w = args.windows;
  chunk_sums<C, 1, 1>(w.positions(), w.taps() * w.channels, static_cast<C*>(args.dweight),
                      [&](int64_t position, int64_t column, int64_t, C(&value)[1][1]) {
                        const int64_t channel = column % w.channels, tap = column / w.channels;
                        const int64_t ox = position % w.horizontal.out,
                                      oy = position / w.horizontal.out % w.vertical.out;
                        const int64_t y = w.vertical.place(oy, tap / w.horizontal.kernel);
                        const int64_t x = w.horizontal.place(ox, tap % w.horizontal.kernel);
                        value[0][0] = 0;
                        if (!w.vertical.contains(y) || !w.horizontal.contains(x)) return;
                        const int64_t pixel = w.pixel(position / w.horizontal.out / w.vertical.out, y, x);
                        value[0][0] = widen(static_cast<const T*>(args.dy)[position * w.channels + channel]) *
                                      widen(static_cast<const T*>(args.x)[pixel * w.channels + channel]);
                      });
}

SUANLI_KERNELS(im2row, gather_rows, Im2Row, 256)
SUANLI_KERNELS(row2im, scatter_rows, Row2Im, 256)
SUANLI_KERNELS(depthwise_forward, depthwise, DepthwiseForward, 256)
SUANLI_KERNELS(depthwise_backward, depthwise_transposed, DepthwiseBackward, 256)
SUANLI_KERNELS(depthwise_chunks, depthwise_products, DepthwiseWeight, kColumnThreads)

extern "C" __global__ void depthwise_total_f32(const float* partial, int64_t chunks, int64_t width, float* y) {
  sum_chunks(partial, chunks, width, y);
}
extern "C" __global__ void depthwise_total_f64(const double* partial, int64_t chunks, int64_t width, double* y) {
  sum_chunks(partial, chunks, width, y);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(convolution);

void run_im2row(const Im2Row& args, Stream& stream) {
  const int64_t elements = args.windows.positions() * args.windows.taps() * args.windows.channels;
  code.launch("im2row", args.dtype, {.x = blocks_for(elements, 256)}, stream, args);
}
void run_row2im(const Row2Im& args, Stream& stream) {
  const int64_t elements = args.windows.pixels() * args.windows.channels;
  code.launch("row2im", args.dtype, {.x = blocks_for(elements, 256)}, stream, args);
}
void run_depthwise_forward(const DepthwiseForward& args, Stream& stream) {
  const int64_t elements = args.windows.positions() * args.windows.channels;
  code.launch("depthwise_forward", args.dtype, {.x = blocks_for(elements, 256)}, stream, args);
}
void run_depthwise_backward(const DepthwiseBackward& args, Stream& stream) {
  const int64_t elements = args.windows.pixels() * args.windows.channels;
  code.launch("depthwise_backward", args.dtype, {.x = blocks_for(elements, 256)}, stream, args);
}
void run_depthwise_weight(const DepthwiseWeight& args, Stream& stream) {
  const DType sums = accumulation_dtype(args.dtype);
  const int64_t width = args.windows.taps() * args.windows.channels;
  const Grid grid = grid_of_chunks(args.windows.positions(), width, 1);
  const int64_t chunks = grid.y;
  const Scratch partial(stream, chunks * width * size_of(sums));
  DepthwiseWeight part = args;
  part.dweight = partial.memory();
  code.launch("depthwise_chunks", args.dtype, grid, stream, part);
  const void* from = partial.memory();
  code.launch("depthwise_total", sums, {.x = blocks_for(width, 256)}, stream, from, chunks, width, args.dweight);
}

}  // namespace

void add_convolution() {
  add(im2row, any_floating<Im2Row>, run_im2row);
  add(row2im, any_floating<Row2Im>, run_row2im);
  add(depthwise_forward, any_floating<DepthwiseForward>, run_depthwise_forward);
  add(depthwise_backward, any_floating<DepthwiseBackward>, run_depthwise_backward);
  add(depthwise_weight, any_floating<DepthwiseWeight>, run_depthwise_weight);
}

}  // namespace suanli::kernels::cuda

#endif
