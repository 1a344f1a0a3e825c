// Softmax cross-entropy: a block for each row of logits.
#include "kernels/loss.h"

namespace suanli::kernels::cuda {

/// The forward launch: `row_loss` [rows] takes each row's part of the loss.
struct CrossEntropyRows {
  CrossEntropyForward args;
  double* row_loss;
};
struct SoftCrossEntropyRows {
  SoftCrossEntropyForward args;
  double* row_loss;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/cuda/sums.h"

namespace suanli::kernels::cuda {

/// log of the sum of exp(x[v]) by the block; `sum` becomes the sum of x.
template <class T, class C>
__device__ C log_sum_exp(const T* x, int64_t vocab, C* sum) {
  C largest = -infinity<C>();
  for_each_group(vocab, [&](int64_t v, int64_t count) {
    C values[kElements];
    load(x + v, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e < count && values[e] > largest) largest = values[e];
    }
  });
  largest = block_fold(largest, -infinity<C>(), [](C a, C b) { return a < b ? b : a; });
  C total = 0;
  *sum = 0;
  for_each_group(vocab, [&](int64_t v, int64_t count) {
    C values[kElements];
    load(x + v, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e >= count) break;
      total += exp(values[e] - largest);
      *sum += values[e];
    }
  });
  total = block_sum(total);
  *sum = block_sum(*sum);
  return largest + log(total);
}

template <class T>
__device__ void lose(const CrossEntropyRows& rows) {
  using C = Compute<T>;
  const CrossEntropyForward& args = rows.args;
  const int64_t row = blockIdx.x;
  const T* x = static_cast<const T*>(args.logits) + row * args.vocab;
  C sum;
  const C lse = log_sum_exp(x, args.vocab, &sum), smoothing = static_cast<C>(args.smoothing);
  if (threadIdx.x != 0) return;
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

template <class T>
__device__ void soft_lose(const SoftCrossEntropyRows& rows) {
  using C = Compute<T>;
  const SoftCrossEntropyForward& args = rows.args;
  const int64_t row = blockIdx.x, start = row * args.vocab;
  const T* x = static_cast<const T*>(args.logits) + start;
  C unused, loss = 0;
  const C lse = log_sum_exp(x, args.vocab, &unused);
  for_each_group(args.vocab, [&](int64_t v, int64_t count) {
    C values[kElements], shares[kElements];
    load(x + v, count, values);
    load(static_cast<const C*>(args.targets) + start + v, count, shares);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e < count && shares[e] != 0) loss += shares[e] * (lse - values[e]);  // not 0 * infinity
    }
  });
  loss = block_sum(loss);
  if (threadIdx.x != 0) return;
  static_cast<C*>(args.lse)[row] = lse;
  rows.row_loss[row] = static_cast<double>(loss);
}

template <class T>
__device__ void soft_loss_gradient(const SoftCrossEntropyBackward& args) {
  using C = Compute<T>;
  const int64_t row = blockIdx.x, start = row * args.vocab;
  const C* targets = static_cast<const C*>(args.targets) + start;
  C mass = 0;
  for_each_group(args.vocab, [&](int64_t v, int64_t count) {
    C shares[kElements];
    load(targets + v, count, shares);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e < count) mass += shares[e];
    }
  });
  mass = block_sum(mass);
  const C weight = *static_cast<const C*>(args.dloss) * static_cast<C>(args.scale);
  const C lse = static_cast<const C*>(args.lse)[row];
  for_each_group(args.vocab, [&](int64_t v, int64_t count) {
    C values[kElements], shares[kElements];
    load(static_cast<const T*>(args.logits) + start + v, count, values);
    load(targets + v, count, shares);
#pragma unroll
    for (int e = 0; e < kElements; ++e) values[e] = weight * (exp(values[e] - lse) * mass - shares[e]);
    store(static_cast<T*>(args.dlogits) + start + v, count, values);
  });
}

SUANLI_KERNELS(cross_entropy_forward, lose, CrossEntropyRows, 256)
SUANLI_KERNELS(cross_entropy_backward, loss_gradient, CrossEntropyBackward, 256)
SUANLI_KERNELS(soft_cross_entropy_forward, soft_lose, SoftCrossEntropyRows, 256)
SUANLI_KERNELS(soft_cross_entropy_backward, soft_loss_gradient, SoftCrossEntropyBackward, 256)

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

/// One launch that gives the loss of each row, and one that adds them.
template <class Rows, class Args>
void run_rows(const char* kernel, const Args& args, Stream& stream) {
  const Scratch row_loss(stream, args.rows * size_of(DType::f64));
  const Rows rows = {args, static_cast<double*>(row_loss.memory())};
  code.launch(kernel, args.dtype, block_for_each_row(args.rows, args.vocab), stream, rows);
  code.launch("cross_entropy_total", accumulation_dtype(args.dtype), {}, stream, rows.row_loss, args.rows, args.scale,
              args.loss);
}

void run_forward(const CrossEntropyForward& args, Stream& stream) {
  run_rows<CrossEntropyRows>("cross_entropy_forward", args, stream);
}
void run_backward(const CrossEntropyBackward& args, Stream& stream) {
  code.launch("cross_entropy_backward", args.dtype, block_for_each_row(args.rows, args.vocab), stream, args);
}
void run_soft_forward(const SoftCrossEntropyForward& args, Stream& stream) {
  run_rows<SoftCrossEntropyRows>("soft_cross_entropy_forward", args, stream);
}
void run_soft_backward(const SoftCrossEntropyBackward& args, Stream& stream) {
  code.launch("soft_cross_entropy_backward", args.dtype, block_for_each_row(args.rows, args.vocab), stream, args);
}

}  // namespace

void add_cross_entropy() {
  add(cross_entropy_forward, any_floating<CrossEntropyForward>, run_forward);
  add(cross_entropy_backward, any_floating<CrossEntropyBackward>, run_backward);
  add(soft_cross_entropy_forward, any_floating<SoftCrossEntropyForward>, run_soft_forward);
  add(soft_cross_entropy_backward, any_floating<SoftCrossEntropyBackward>, run_soft_backward);
}

}  // namespace suanli::kernels::cuda

#endif
