// The sum over the rows of a matrix.
#include "kernels/cuda/columns.h"
#include "kernels/matmul.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void partial_sums(const ColumnSum& args) {
  using C = Compute<T>;
  chunk_sums<C, 1, kWide>(args.rows, args.width, static_cast<C*>(args.y),
                          [&](int64_t row, int64_t column, int64_t count, C(&values)[1][kWide]) {
                            load(static_cast<const T*>(args.x) + row * args.width + column, count, values[0]);
                          });
}

SUANLI_KERNELS(column_sum_chunks, partial_sums, ColumnSum, kColumnThreads)

extern "C" __global__ void column_sum_total_f32(const float* partial, int64_t chunks, int64_t width, float* y) {
  sum_chunks(partial, chunks, width, y);
}
extern "C" __global__ void column_sum_total_f64(const double* partial, int64_t chunks, int64_t width, double* y) {
  sum_chunks(partial, chunks, width, y);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(column_sum);

void run_column_sum(const ColumnSum& args, Stream& stream) {
  const DType sums = accumulation_dtype(args.dtype);
  const Grid grid = grid_of_chunks(args.rows, args.width, kWide);
  const int64_t chunks = grid.y;
  const Scratch partial(stream, chunks * args.width * size_of(sums));
  ColumnSum part = args;
  part.y = partial.memory();
  code.launch("column_sum_chunks", args.dtype, grid, stream, part);
  const void* from = partial.memory();
  code.launch("column_sum_total", sums, {.x = blocks_for(args.width, 256)}, stream, from, chunks, args.width, args.y);
}

}  // namespace

void add_column_sum() { add(column_sum, any_floating<ColumnSum>, run_column_sum); }

}  // namespace suanli::kernels::cuda

#endif
