// Columns of one matrix into another, transposes of many small matrices, and channels that become pixels.
#include "kernels/layout.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void copy(const CopyColumns& args) {
  const int64_t element = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t row = element / args.width, column = element % args.width;
  if (row >= args.rows) return;
  static_cast<T*>(args.y)[row * args.y_pitch + column] = static_cast<const T*>(args.x)[row * args.x_pitch + column];
}

/// A thread for each element of y, so that writes are contiguous.
template <class T>
__device__ void transpose_all(const Transpose& args) {
  const int64_t element = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t row = element % args.rows, column = element / args.rows % args.columns;
  const int64_t b = element / args.rows / args.columns;
  if (b >= args.batch) return;
  static_cast<T*>(args.y)[element] = static_cast<const T*>(args.x)[(b * args.rows + row) * args.columns + column];
}

/// A thread for each element of wide.
template <class T>
__device__ void shuffle(const PixelShuffle& args) {
  const int64_t wide = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (wide >= args.count()) return;
  const int64_t deep = args.deep(wide);
  static_cast<T*>(args.y)[args.inverse ? deep : wide] = static_cast<const T*>(args.x)[args.inverse ? wide : deep];
}

SUANLI_KERNELS(copy_columns, copy, CopyColumns, 256)
SUANLI_KERNELS(transpose, transpose_all, Transpose, 256)
SUANLI_KERNELS(pixel_shuffle, shuffle, PixelShuffle, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(layout);

void run_copy(const CopyColumns& args, Stream& stream) {
  code.launch("copy_columns", args.dtype, {.x = blocks_for(args.rows * args.width, 256)}, stream, args);
}
void run_transpose(const Transpose& args, Stream& stream) {
  code.launch("transpose", args.dtype, {.x = blocks_for(args.batch * args.rows * args.columns, 256)}, stream, args);
}
void run_shuffle(const PixelShuffle& args, Stream& stream) {
  code.launch("pixel_shuffle", args.dtype, {.x = blocks_for(args.count(), 256)}, stream, args);
}

}  // namespace

void add_layout() {
  add(copy_columns, any_floating<CopyColumns>, run_copy);
  add(transpose, any_floating<Transpose>, run_transpose);
  add(pixel_shuffle, any_floating<PixelShuffle>, run_shuffle);
}

}  // namespace suanli::kernels::cuda

#endif
