// Squared, absolute and smooth absolute errors, and binary cross-entropy over logits.
#include "kernels/cuda/sums.h"
#include "kernels/loss.h"

namespace suanli::kernels::cuda {

/// The forward launch: `partial` takes the sum of each block.
struct PointwiseSums {
  PointwiseLossForward args;
  double* partial;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class C>
__device__ C loss_of(const PointwiseLossForward& args, C x, C target) {
  const C size = abs(x - target), beta = static_cast<C>(args.beta);
  if (args.kind == PointwiseLoss::mse) return size * size;
  if (args.kind == PointwiseLoss::l1) return size;
  if (args.kind == PointwiseLoss::smooth_l1) return size < beta ? size * size / (2 * beta) : size - beta / 2;
  return (x < 0 ? 0 : x) - x * target + log1p(exp(-abs(x)));
}

template <class C>
__device__ C slope_of(const PointwiseLossBackward& args, C x, C target) {
  const C d = x - target;
  if (args.kind == PointwiseLoss::mse) return 2 * d;
  if (args.kind == PointwiseLoss::l1) return d > 0 ? C{1} : d < 0 ? C{-1} : d;  // NaN stays
  if (args.kind == PointwiseLoss::smooth_l1) return d / max(abs(d), static_cast<C>(args.beta));
  return 1 / (1 + exp(-x)) - target;
}

template <class T>
__device__ void lose(const PointwiseSums& sums) {
  using C = Compute<T>;
  const PointwiseLossForward& args = sums.args;
  partial_sum(args.count, blockIdx.x, sums.partial + blockIdx.x, [&](int64_t i) {
    const C x = widen(static_cast<const T*>(args.x)[i]);
    return static_cast<double>(loss_of(args, x, static_cast<const C*>(args.target)[i]));
  });
}

template <class T>
__device__ void loss_gradient(const PointwiseLossBackward& args) {
  using C = Compute<T>;
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  const C weight = *static_cast<const C*>(args.dloss) * static_cast<C>(args.scale);
  C x[kElements], target[kElements];
  load(static_cast<const T*>(args.x) + first, count, x);
  load(static_cast<const C*>(args.target) + first, count, target);
#pragma unroll
  for (int e = 0; e < kElements; ++e) x[e] = weight * slope_of(args, x[e], target[e]);
  store(static_cast<T*>(args.dx) + first, count, x);
}

SUANLI_KERNELS(pointwise_loss_forward, lose, PointwiseSums, 256)
SUANLI_KERNELS(pointwise_loss_backward, loss_gradient, PointwiseLossBackward, 256)

extern "C" __global__ void pointwise_loss_total_f32(const double* partial, int64_t count, double scale, float* loss) {
  total_sum(partial, count, scale, loss);
}
extern "C" __global__ void pointwise_loss_total_f64(const double* partial, int64_t count, double scale, double* loss) {
  total_sum(partial, count, scale, loss);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(pointwise_loss);

void run_forward(const PointwiseLossForward& args, Stream& stream) {
  const int64_t blocks = blocks_for(args.count, kTermsOfBlock);
  const Scratch partial(stream, blocks * size_of(DType::f64));
  const PointwiseSums sums = {args, static_cast<double*>(partial.memory())};
  code.launch("pointwise_loss_forward", args.dtype, {.x = blocks}, stream, sums);
  code.launch("pointwise_loss_total", accumulation_dtype(args.dtype), {}, stream, sums.partial, blocks, args.scale,
              args.loss);
}

void run_backward(const PointwiseLossBackward& args, Stream& stream) {
  code.launch("pointwise_loss_backward", args.dtype, {.x = blocks_for(args.count, 256 * 8)}, stream, args);
}

}  // namespace

void add_pointwise_loss() {
  add(pointwise_loss_forward, any_floating<PointwiseLossForward>, run_forward);
  add(pointwise_loss_backward, any_floating<PointwiseLossBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
