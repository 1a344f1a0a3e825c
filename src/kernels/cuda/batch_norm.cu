// Batch normalisation: sums over the rows of each column in chunks whose cut depends on the shape alone.
#include "kernels/batch_norm.h"

#include "kernels/cuda/columns.h"

namespace suanli::kernels::cuda {
/// What the second pass sums: squares around a mean that is known by then.
struct SquaresOfColumns {
  BatchNormStatistics args;
  const void* mean;
};
}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

/// partial [chunks, width] of the column sums.
template <class T>
__device__ void sum_columns(const BatchNormStatistics& args) {
  using C = Compute<T>;
  chunk_sums<C, 1, 1>(args.rows, args.width, static_cast<C*>(args.mean),
                      [&](int64_t row, int64_t column, int64_t, C(&value)[1][1]) {
                        value[0][0] = widen(static_cast<const T*>(args.x)[row * args.width + column]);
                      });
}

template <class T>
__device__ void square_columns(const SquaresOfColumns& pass) {
  using C = Compute<T>;
  const BatchNormStatistics& args = pass.args;
  chunk_sums<C, 1, 1>(
      args.rows, args.width, static_cast<C*>(args.rstd), [&](int64_t row, int64_t column, int64_t, C(&value)[1][1]) {
        const C d =
            widen(static_cast<const T*>(args.x)[row * args.width + column]) - static_cast<const C*>(pass.mean)[column];
        value[0][0] = d * d;
      });
}

/// One thread for each column: the mean of partial sums [chunks, width].
template <class C>
__device__ void finish_mean(const BatchNormStatistics& args, const C* partial, int64_t chunks) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= args.width) return;
  C sum = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * args.width + column];
  static_cast<C*>(args.mean)[column] = sum / static_cast<C>(args.rows);
}

/// One thread for each column: rstd and running statistics of partial squares [chunks, width].
template <class C>
__device__ void finish_squares(const BatchNormStatistics& args, const C* partial, int64_t chunks) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= args.width) return;
  C squares = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) squares += partial[chunk * args.width + column];
  const C rows = static_cast<C>(args.rows), momentum = static_cast<C>(args.momentum);
  static_cast<C*>(args.rstd)[column] = C{1} / sqrt(squares / rows + static_cast<C>(args.eps));
  if (args.running_mean == nullptr) return;
  C &mean = static_cast<C*>(args.running_mean)[column], &var = static_cast<C*>(args.running_var)[column];
  mean = (1 - momentum) * mean + momentum * static_cast<const C*>(args.mean)[column];
  var = (1 - momentum) * var + momentum * squares / (rows - 1);
}

template <class T>
__device__ void rstd_of(const BatchNormRstd& args) {
  using C = Compute<T>;
  const int64_t c = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= args.width) return;
  const C var = widen(static_cast<const T*>(args.var)[c]);
  static_cast<T*>(args.rstd)[c] = narrow<T>(C{1} / sqrt(var + static_cast<C>(args.eps)));
}

template <class T>
__device__ void normalise(const BatchNormForward& args) {
  using C = Compute<T>;
  const int64_t element = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (element >= args.rows * args.width) return;
  const int64_t c = element % args.width;
  const C centred = widen(static_cast<const T*>(args.x)[element]) - static_cast<const C*>(args.mean)[c];
  const C factor = static_cast<const C*>(args.rstd)[c] * static_cast<const C*>(args.weight)[c];
  const C y = centred * factor + static_cast<const C*>(args.bias)[c];
  static_cast<T*>(args.y)[element] = narrow<T>(args.relu && y < 0 ? C{0} : y);
}

/// dy, or 0 where a ReLU cut it off.
template <class T, class Args>
__device__ Compute<T> cut_gradient(const Args& args, int64_t element) {
  if (args.y != nullptr && widen(static_cast<const T*>(args.y)[element]) <= 0) return 0;
  return widen(static_cast<const T*>(args.dy)[element]);
}
template <class T, class Args>
__device__ Compute<T> normalised(const Args& args, int64_t element, int64_t c) {
  using C = Compute<T>;
  const C centred = widen(static_cast<const T*>(args.x)[element]) - static_cast<const C*>(args.mean)[c];
  return centred * static_cast<const C*>(args.rstd)[c];
}

/// dweight holds partial [2, chunks, width]: of g, then of g xhat.
template <class T>
__device__ void gradient_sums(const BatchNormSums& args) {
  using C = Compute<T>;
  chunk_sums<C, 2, 1>(args.rows, args.width, static_cast<C*>(args.dweight),
                      [&](int64_t row, int64_t c, int64_t, C(&value)[2][1]) {
                        const int64_t element = row * args.width + c;
                        value[0][0] = cut_gradient<T>(args, element);
                        value[1][0] = value[0][0] * normalised<T>(args, element, c);
                      });
}

template <class T>
__device__ void backward(const BatchNormBackward& args) {
  using C = Compute<T>;
  const int64_t element = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (element >= args.rows * args.width) return;
  const int64_t c = element % args.width;
  C g = cut_gradient<T>(args, element);
  if (!args.fixed) {
    g -= (static_cast<const C*>(args.dbias)[c] +
          normalised<T>(args, element, c) * static_cast<const C*>(args.dweight)[c]) /
         static_cast<C>(args.rows);
  }
  static_cast<T*>(args.dx)[element] =
      narrow<T>(g * static_cast<const C*>(args.rstd)[c] * static_cast<const C*>(args.weight)[c]);
}

SUANLI_KERNELS(batch_norm_mean_chunks, sum_columns, BatchNormStatistics, kColumnThreads)
SUANLI_KERNELS(batch_norm_square_chunks, square_columns, SquaresOfColumns, kColumnThreads)
SUANLI_KERNELS(batch_norm_rstd, rstd_of, BatchNormRstd, 256)
SUANLI_KERNELS(batch_norm_forward, normalise, BatchNormForward, 256)
SUANLI_KERNELS(batch_norm_gradient_chunks, gradient_sums, BatchNormSums, kColumnThreads)
SUANLI_KERNELS(batch_norm_backward, backward, BatchNormBackward, 256)

#define SUANLI_TOTALS(suffix, C)                                                                                \
  extern "C" __global__ void batch_norm_mean_##suffix(const BatchNormStatistics args, const C* partial,         \
                                                      int64_t chunks) {                                         \
    finish_mean(args, partial, chunks);                                                                         \
  }                                                                                                             \
  extern "C" __global__ void batch_norm_squares_##suffix(const BatchNormStatistics args, const C* partial,      \
                                                         int64_t chunks) {                                      \
    finish_squares(args, partial, chunks);                                                                      \
  }                                                                                                             \
  extern "C" __global__ void batch_norm_total_##suffix(const C* partial, int64_t chunks, int64_t width, C* y) { \
    sum_chunks(partial, chunks, width, y);                                                                      \
  }
SUANLI_TOTALS(f32, float)
SUANLI_TOTALS(f64, double)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(batch_norm);

void run_statistics(const BatchNormStatistics& args, Stream& stream) {
  const Grid grid = grid_of_chunks(args.rows, args.width, 1), columns = {.x = blocks_for(args.width, 256)};
  const int64_t chunks = grid.y;
  const Scratch partial(stream, chunks * args.width * size_of(accumulation_dtype(args.dtype)));
  BatchNormStatistics pass = args;
  pass.mean = pass.rstd = partial.memory();
  const void* from = partial.memory();
  code.launch("batch_norm_mean_chunks", args.dtype, grid, stream, pass);
  code.launch("batch_norm_mean", accumulation_dtype(args.dtype), columns, stream, args, from, chunks);
  const SquaresOfColumns squares = {pass, args.mean};
  code.launch("batch_norm_square_chunks", args.dtype, grid, stream, squares);
  code.launch("batch_norm_squares", accumulation_dtype(args.dtype), columns, stream, args, from, chunks);
}

void run_rstd(const BatchNormRstd& args, Stream& stream) {
  code.launch("batch_norm_rstd", args.dtype, {.x = blocks_for(args.width, 256)}, stream, args);
}

void run_forward(const BatchNormForward& args, Stream& stream) {
  code.launch("batch_norm_forward", args.dtype, {.x = blocks_for(args.rows * args.width, 256)}, stream, args);
}

void run_sums(const BatchNormSums& args, Stream& stream) {
  const DType sums = accumulation_dtype(args.dtype);
  const Grid grid = grid_of_chunks(args.rows, args.width, 1);
  const int64_t chunks = grid.y, bytes = chunks * args.width * size_of(sums);
  const Scratch partial(stream, 2 * bytes);
  BatchNormSums pass = args;
  pass.dweight = partial.memory();
  code.launch("batch_norm_gradient_chunks", args.dtype, grid, stream, pass);
  const Grid columns = {.x = blocks_for(args.width, 256)};
  const void* of_bias = partial.memory();
  const void* of_weight = static_cast<const std::byte*>(of_bias) + bytes;
  code.launch("batch_norm_total", sums, columns, stream, of_bias, chunks, args.width, args.dbias);
  code.launch("batch_norm_total", sums, columns, stream, of_weight, chunks, args.width, args.dweight);
}

void run_backward(const BatchNormBackward& args, Stream& stream) {
  code.launch("batch_norm_backward", args.dtype, {.x = blocks_for(args.rows * args.width, 256)}, stream, args);
}

}  // namespace

void add_batch_norm() {
  add(batch_norm_statistics, any_floating<BatchNormStatistics>, run_statistics);
  add(batch_norm_rstd, any_floating<BatchNormRstd>, run_rstd);
  add(batch_norm_forward, any_floating<BatchNormForward>, run_forward);
  add(batch_norm_sums, any_floating<BatchNormSums>, run_sums);
  add(batch_norm_backward, any_floating<BatchNormBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
