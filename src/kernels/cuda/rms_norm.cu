// Normalisation by the root of the mean square: a block for each row.
#include "kernels/cuda/columns.h"
#include "kernels/rms_norm.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void normalise(const RmsNormForward& args) {
  using C = Compute<T>;
  const int64_t start = static_cast<int64_t>(blockIdx.x) * args.width;
  const T* x = static_cast<const T*>(args.x) + start;
  C squares = 0;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C values[kElements];
    load(x + c, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) squares += values[e] * values[e];
  });
  const C rstd = 1 / sqrt(block_sum(squares) / static_cast<C>(args.width) + static_cast<C>(args.eps));
  const MixedArray<T> weight{args.weight, args.weight_dtype != args.dtype};
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C values[kElements], w[kElements];
    load(x + c, count, values);
    weight.load_from(c, count, w);
#pragma unroll
    for (int e = 0; e < kElements; ++e) values[e] = values[e] * rstd * w[e];
    store(static_cast<T*>(args.y) + start + c, count, values);
  });
  if (threadIdx.x == 0 && args.rstd != nullptr) static_cast<C*>(args.rstd)[blockIdx.x] = rstd;
}

/// dx = rstd (g - n mean_row(g n)) with n = x rstd and g = dy weight.
template <class T>
__device__ void gradient_of_rows(const RmsNormBackward& args) {
  using C = Compute<T>;
  const int64_t start = static_cast<int64_t>(blockIdx.x) * args.width;
  const T *dy = static_cast<const T*>(args.dy) + start, *x = static_cast<const T*>(args.x) + start;
  const C rstd = static_cast<const C*>(args.rstd)[blockIdx.x];
  const MixedArray<T> weight{args.weight, args.weight_dtype != args.dtype};
  const auto terms = [&](int64_t c, int64_t count, C(&n)[kElements], C(&g)[kElements]) {
    load(x + c, count, n);
    load(dy + c, count, g);
    C w[kElements];
    weight.load_from(c, count, w);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      n[e] *= rstd;
      g[e] *= w[e];
    }
  };
  C sum = 0;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C n[kElements], g[kElements];
    terms(c, count, n, g);
#pragma unroll
    for (int e = 0; e < kElements; ++e) sum += g[e] * n[e];
  });
  const C mean_gn = block_sum(sum) / static_cast<C>(args.width);
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C n[kElements], g[kElements];
    terms(c, count, n, g);
#pragma unroll
    for (int e = 0; e < kElements; ++e) g[e] = rstd * (g[e] - n[e] * mean_gn);
    store(static_cast<T*>(args.dx) + start + c, count, g);
  });
}

/// Partial sums of dweight over chunks of rows, to args.dweight as [chunks, width].
template <class T>
__device__ void gradient_of_weights(const RmsNormBackward& args) {
  using C = Compute<T>;
  chunk_sums<C, 1, kWide>(args.rows, args.width, static_cast<C*>(args.dweight),
                          [&](int64_t row, int64_t column, int64_t count, C(&values)[1][kWide]) {
                            const int64_t i = row * args.width + column;
                            const C rstd = static_cast<const C*>(args.rstd)[row];
                            C dy[kWide];
                            load(static_cast<const T*>(args.dy) + i, count, dy);
                            load(static_cast<const T*>(args.x) + i, count, values[0]);
#pragma unroll
                            for (int e = 0; e < kWide; ++e) values[0][e] = dy[e] * (values[0][e] * rstd);
                          });
}

SUANLI_KERNELS(rms_norm_forward, normalise, RmsNormForward, 256)
SUANLI_KERNELS(rms_norm_backward, gradient_of_rows, RmsNormBackward, 256)
SUANLI_KERNELS(rms_norm_backward_weights, gradient_of_weights, RmsNormBackward, kColumnThreads, 1)

extern "C" __global__ void rms_norm_total_f32(const float* partial, int64_t chunks, int64_t width, float* dweight) {
  sum_chunks(partial, chunks, width, dweight);
}
extern "C" __global__ void rms_norm_total_f64(const double* partial, int64_t chunks, int64_t width, double* dweight) {
  sum_chunks(partial, chunks, width, dweight);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(rms_norm);

template <class Args>
Refusal can_run(const Args& args, const Machine&) {
  if (!is_mixed(args.dtype, args.weight_dtype)) return "weights are neither of dtype nor of the dtype of sums";
  return refuse_not_floating(args.dtype);
}

void run_forward(const RmsNormForward& args, Stream& stream) {
  code.launch("rms_norm_forward", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}

void run_backward(const RmsNormBackward& args, Stream& stream) {
  if (args.dweight != nullptr) {  // first: dx may be dy
    const DType sums = accumulation_dtype(args.dtype);
    const Grid grid = grid_of_chunks(args.rows, args.width, kWide);
    const int64_t chunks = grid.y;
    const Scratch partial(stream, chunks * args.width * size_of(sums));
    RmsNormBackward part = args;
    part.dweight = partial.memory();
    code.launch("rms_norm_backward_weights", args.dtype, grid, stream, part);
    const void* from = partial.memory();
    code.launch("rms_norm_total", sums, {.x = blocks_for(args.width, 256)}, stream, from, chunks, args.width,
                args.dweight);
  }
  if (args.dx == nullptr) return;
  code.launch("rms_norm_backward", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}

}  // namespace

void add_rms_norm() {
  add(rms_norm_forward, can_run<RmsNormForward>, run_forward);
  add(rms_norm_backward, can_run<RmsNormBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
