// Layer normalisation with the dropout and residual addition before it: a block for each row.
#include "kernels/cuda/columns.h"
#include "kernels/layer_norm.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void normalise(const LayerNormForward& args) {
  using C = Compute<T>;
  extern __shared__ __align__(16) unsigned char shared[];
  C* row = reinterpret_cast<C*>(shared);  // what is normalised, not yet rounded to T; no two threads on one bank
  const int groups = static_cast<int>((args.width + kElements - 1) / kElements);
  const auto place = [&](int64_t c, int e) { return e * groups + static_cast<int>(c) / kElements; };
  const int64_t start = static_cast<int64_t>(blockIdx.x) * args.width;
  C total = 0;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C x[kElements];
    load(static_cast<const T*>(args.x) + start + c, count, x);
    if (args.residual != nullptr) {
      C residual[kElements];
      load(static_cast<const T*>(args.residual) + start + c, count, residual);
      if (args.dropout.probability > 0) {
        C factors[kElements];
        dropout_factors(args.dropout, static_cast<uint64_t>(start + c), factors);
#pragma unroll
        for (int e = 0; e < kElements; ++e) x[e] *= factors[e];
      }
#pragma unroll
      for (int e = 0; e < kElements; ++e) x[e] += residual[e];
      if (args.sum != nullptr) store(static_cast<T*>(args.sum) + start + c, count, x);
    }
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e < count) total += row[place(c, e)] = x[e];
    }
  });
  const C mean = block_sum(total) / static_cast<C>(args.width);
  C squares = 0;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const C deviation = e < count ? row[place(c, e)] - mean : C{0};
      squares += deviation * deviation;
    }
  });
  const C rstd = 1 / sqrt(block_sum(squares) / static_cast<C>(args.width) + static_cast<C>(args.eps));
  const bool wide = args.weight_dtype != args.dtype;
  const MixedArray<T> weight{args.weight, wide}, bias{args.bias, wide};
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C y[kElements], w[kElements], b[kElements];
    weight.load_from(c, count, w);
    bias.load_from(c, count, b);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      y[e] = e < count ? (row[place(c, e)] - mean) * rstd * w[e] + b[e] : C{0};
    }
    store(static_cast<T*>(args.y) + start + c, count, y);
  });
  if (threadIdx.x == 0) {
    if (args.mean != nullptr) static_cast<C*>(args.mean)[blockIdx.x] = mean;
    if (args.rstd != nullptr) static_cast<C*>(args.rstd)[blockIdx.x] = rstd;
  }
}

/// dsum = rstd (g - mean_row(g) - n mean_row(g n)) with n = (sum - mean) rstd and g = dy weight.
template <class T>
__device__ void gradient_of_rows(const LayerNormBackward& args) {
  using C = Compute<T>;
  const int64_t start = static_cast<int64_t>(blockIdx.x) * args.width;
  const T *dy = static_cast<const T*>(args.dy) + start, *sum = static_cast<const T*>(args.sum) + start;
  const C mean = static_cast<const C*>(args.mean)[blockIdx.x], rstd = static_cast<const C*>(args.rstd)[blockIdx.x];
  const MixedArray<T> weight{args.weight, args.weight_dtype != args.dtype};
  const auto terms = [&](int64_t c, int64_t count, C(&n)[kElements], C(&g)[kElements]) {
    load(sum + c, count, n);
    load(dy + c, count, g);
    C w[kElements];
    weight.load_from(c, count, w);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      n[e] = (n[e] - mean) * rstd;
      g[e] *= w[e];
    }
  };
  C sum_g = 0, sum_gn = 0;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C n[kElements], g[kElements];
    terms(c, count, n, g);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      sum_g += g[e];
      sum_gn += g[e] * n[e];
    }
  });
  const C mean_g = block_sum(sum_g) / static_cast<C>(args.width);
  const C mean_gn = block_sum(sum_gn) / static_cast<C>(args.width);
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C n[kElements], g[kElements];
    terms(c, count, n, g);
#pragma unroll
    for (int e = 0; e < kElements; ++e) g[e] = rstd * (g[e] - mean_g - n[e] * mean_gn);
    if (args.dresidual != nullptr) store(static_cast<T*>(args.dresidual) + start + c, count, g);
    if (args.dx == nullptr) return;
    if (args.dropout.probability > 0) {
      C factors[kElements];
      dropout_factors(args.dropout, static_cast<uint64_t>(start + c), factors);
#pragma unroll
      for (int e = 0; e < kElements; ++e) g[e] *= factors[e];
    }
    store(static_cast<T*>(args.dx) + start + c, count, g);
  });
}

/// Partial sums of dweight and dbias over chunks of rows, to args.dweight as [2, chunks, width].
template <class T>
__device__ void gradient_of_weights(const LayerNormBackward& args) {
  using C = Compute<T>;
  chunk_sums<C, 2, kWide>(args.rows, args.width, static_cast<C*>(args.dweight),
                          [&](int64_t row, int64_t column, int64_t count, C(&values)[2][kWide]) {
                            const int64_t i = row * args.width + column;
                            const C mean = static_cast<const C*>(args.mean)[row],
                                    rstd = static_cast<const C*>(args.rstd)[row];
                            load(static_cast<const T*>(args.sum) + i, count, values[0]);
                            load(static_cast<const T*>(args.dy) + i, count, values[1]);
#pragma unroll
                            for (int e = 0; e < kWide; ++e)
                              values[0][e] = values[1][e] * ((values[0][e] - mean) * rstd);
                          });
}

SUANLI_KERNELS(layer_norm_forward, normalise, LayerNormForward, 256, 1)
SUANLI_KERNELS(layer_norm_backward, gradient_of_rows, LayerNormBackward, 256)
SUANLI_KERNELS(layer_norm_backward_weights, gradient_of_weights, LayerNormBackward, kColumnThreads)

template <class C>
__device__ void total(const C* partial, int64_t chunks, int64_t width, C* dweight, C* dbias) {
  if (blockIdx.y == 0) sum_chunks(partial, chunks, width, dweight);
  if (blockIdx.y == 1) sum_chunks(partial + chunks * width, chunks, width, dbias);
}
extern "C" __global__ void layer_norm_total_f32(const float* partial, int64_t chunks, int64_t width, float* dweight,
                                                float* dbias) {
  total(partial, chunks, width, dweight, dbias);
}
extern "C" __global__ void layer_norm_total_f64(const double* partial, int64_t chunks, int64_t width, double* dweight,
                                                double* dbias) {
  total(partial, chunks, width, dweight, dbias);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(layer_norm);

constexpr int64_t kRowBytes = 40 << 10;  // of shared memory, beside the sums of a block

/// Of a row in the dtype of sums, in groups of kWide.
template <class Args>
int64_t row_bytes(const Args& args) {
  return blocks_for(args.width, kWide) * kWide * size_of(accumulation_dtype(args.dtype));
}

template <class Args>
Refusal can_run(const Args& args, const Machine&) {
  if (!is_mixed(args.dtype, args.weight_dtype)) return "weights are neither of dtype nor of the dtype of sums";
  if (row_bytes(args) > kRowBytes) {
    return "a row does not fit the shared memory of a block";
  }
  return refuse_not_floating(args.dtype);
}

void run_forward(const LayerNormForward& args, Stream& stream) {
  Grid grid = block_for_each_row(args.rows, args.width);
  grid.shared_bytes = row_bytes(args);
  code.launch("layer_norm_forward", args.dtype, grid, stream, args);
}

void run_backward(const LayerNormBackward& args, Stream& stream) {
  code.launch("layer_norm_backward", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
  if (args.dweight == nullptr) return;
  const DType sums = accumulation_dtype(args.dtype);
  const Grid grid = grid_of_chunks(args.rows, args.width, kWide);
  const int64_t chunks = grid.y;
  const Scratch partial(stream, 2 * chunks * args.width * size_of(sums));
  LayerNormBackward part = args;
  part.dweight = partial.memory();
  code.launch("layer_norm_backward_weights", args.dtype, grid, stream, part);
  const void* from = partial.memory();
  code.launch("layer_norm_total", sums, {.x = blocks_for(args.width, 256), .y = 2}, stream, from, chunks, args.width,
              args.dweight, args.dbias);
}

}  // namespace

void add_layer_norm() {
  add(layer_norm_forward, can_run<LayerNormForward>, run_forward);
  add(layer_norm_backward, can_run<LayerNormBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
