// Softmax cross-entropy: a block for each row of logits.
#include "kernels/loss.h"

namespace suanli::kernels::cuda {

/// The forward launch: `row_loss` [rows] takes each row's part of the loss.
struct CrossEntropyRows {
  CrossEntropyForward args;
  double* row_loss;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/cuda/sums.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void lose(const CrossEntropyRows& rows) {
  using C = Compute<T>;
  const CrossEntropyForward& args = rows.args;
  const int64_t row = blockIdx.x;
  const T* x = static_cast<const T*>(args.logits) + row * args.vocab;
  C largest = -infinity<C>();
  for_each_group(args.vocab, [&](int64_t v, int64_t count) {
    C values[kElements];
    load(x + v, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e < count && values[e] > largest) largest = values[e];
    }
  });
  largest = block_fold(largest, -infinity<C>(), [](C a, C b) { return a < b ? b : a; });
  C total = 0, sum = 0;
  for_each_group(args.vocab, [&](int64_t v, int64_t count) {
    C values[kElements];
    load(x + v, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e >= count) break;
      total += exp(values[e] - largest);
      sum += values[e];
    }
  });
  total = block_sum(total);
  sum = block_sum(sum);
  if (threadIdx.x != 0) return;
  const C lse = largest + log(total), smoothing = static_cast<C>(args.smoothing);
  static_cast<C*>(args.lse)[row] = lse;
  const int32_t label = args.labels[row];
  C loss = 0;
  if (label != args.ignore) {
    loss = (1 - smoothing) * (lse - widen(x[label]));
    if (smoothing > 0) loss += smoothing * (lse - sum / static_cast<C>(args.vocab));  // not 0 * infinity
  }
  rows.row_loss[row] = static_cast<double>(loss);
}

template <class T>
__device__ void loss_gradient(const CrossEntropyBackward& args) {
  using C = Compute<T>;
  const int64_t row = blockIdx.x, start = row * args.vocab;
  const int32_t label = args.labels[row];
  const bool ignored = label == args.ignore;
  const C weight = *static_cast<const C*>(args.dloss) * static_cast<C>(args.scale);
  const C lse = static_cast<const C*>(args.lse)[row], smoothing = static_cast<C>(args.smoothing);
  const C spread = smoothing / static_cast<C>(args.vocab);
  for_each_group(args.vocab, [&](int64_t v, int64_t count) {
    C values[kElements];
    load(static_cast<const T*>(args.logits) + start + v, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      C value = exp(values[e] - lse) - spread;
      if (v + e == label) value -= 1 - smoothing;
      values[e] = ignored ? C{0} : weight * value;
    }
    store(static_cast<T*>(args.dlogits) + start + v, count, values);
  });
}

SUANLI_KERNELS(cross_entropy_forward, lose, CrossEntropyRows, 256)
SUANLI_KERNELS(cross_entropy_backward, loss_gradient, CrossEntropyBackward, 256)

extern "C" __global__ void cross_entropy_total_f32(const double* row_loss, int64_t rows, double scale, float* loss) {
  total_sum(row_loss, rows, scale, loss);
}
extern "C" __global__ void cross_entropy_total_f64(const double* row_loss, int64_t rows, double scale, double* loss) {
  total_sum(row_loss, rows, scale, loss);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(cross_entropy);

void run_forward(const CrossEntropyForward& args, Stream& stream) {
  const Scratch row_loss(stream, args.rows * size_of(DType::f64));
  const CrossEntropyRows rows = {args, static_cast<double*>(row_loss.memory())};
  code.launch("cross_entropy_forward", args.dtype, block_for_each_row(args.rows, args.vocab), stream, rows);
  code.launch("cross_entropy_total", args.dtype == DType::f64 ? DType::f64 : DType::f32, {}, stream, rows.row_loss,
              args.rows, args.scale, args.loss);
}

void run_backward(const CrossEntropyBackward& args, Stream& stream) {
  code.launch("cross_entropy_backward", args.dtype, block_for_each_row(args.rows, args.vocab), stream, args);
}

}  // namespace

void add_cross_entropy() {
  add(cross_entropy_forward, any_floating<CrossEntropyForward>, run_forward);
  add(cross_entropy_backward, any_floating<CrossEntropyBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
