// Focal loss: a thread for each row of logits, which has few classes.
#include "kernels/cuda/sums.h"
#include "kernels/focal_loss.h"

namespace suanli::kernels::cuda {

/// The forward launch: `partial` takes the sum of each block.
struct FocalLossSums {
  FocalLossForward args;
  double* partial;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

/// q^gamma for q in 0..1.
template <class C>
__device__ C power(C q, C gamma) {
  return gamma == 0 ? C{1} : exp(gamma * log(q));
}

template <class C>
__device__ C weight_of(const void* weights, int32_t label) {
  return weights == nullptr ? C{1} : static_cast<const C*>(weights)[label];
}

template <class T>
__device__ void lose(const FocalLossSums& sums) {
  using C = Compute<T>;
  const FocalLossForward& args = sums.args;
  partial_sum(args.rows, blockIdx.x, sums.partial + blockIdx.x, [&](int64_t row) {
    const T* x = static_cast<const T*>(args.logits) + row * args.classes;
    C largest = -infinity<C>(), total = 0;
    for (int64_t v = 0; v < args.classes; ++v) {
      const C value = widen(x[v]);
      if (!(value <= largest)) largest = value;
    }
    for (int64_t v = 0; v < args.classes; ++v) total += exp(widen(x[v]) - largest);
    const C lse = largest + log(total);
    static_cast<C*>(args.lse)[row] = lse;
    const int32_t label = args.labels[row];
    const C log_p = widen(x[label]) - lse;
    const C loss = -weight_of<C>(args.weights, label) * power(-expm1(log_p), static_cast<C>(args.gamma)) * log_p;
    return static_cast<double>(loss);
  });
}

template <class T>
__device__ void loss_gradient(const FocalLossBackward& args) {
  using C = Compute<T>;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= args.rows) return;
  const T* x = static_cast<const T*>(args.logits) + row * args.classes;
  T* dx = static_cast<T*>(args.dlogits) + row * args.classes;
  const int32_t label = args.labels[row];
  const C lse = static_cast<const C*>(args.lse)[row], log_p = widen(x[label]) - lse, q = -expm1(log_p);
  const C gamma = static_cast<C>(args.gamma), q_gamma = power(q, gamma);
  const C modulated = q > 0 ? gamma * exp(log_p) * log_p * q_gamma / q : C{0};
  const C slope = *static_cast<const C*>(args.dloss) * static_cast<C>(args.scale) * weight_of<C>(args.weights, label) *
                  (modulated - q_gamma);
  for (int64_t v = 0; v < args.classes; ++v) {
    dx[v] = narrow<T>(slope * (v == label ? q : -exp(widen(x[v]) - lse)));
  }
}

SUANLI_KERNELS(focal_loss_forward, lose, FocalLossSums, 256)
SUANLI_KERNELS(focal_loss_backward, loss_gradient, FocalLossBackward, 256)

extern "C" __global__ void focal_loss_total_f32(const double* partial, int64_t count, double scale, float* loss) {
  total_sum(partial, count, scale, loss);
}
extern "C" __global__ void focal_loss_total_f64(const double* partial, int64_t count, double scale, double* loss) {
  total_sum(partial, count, scale, loss);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(focal_loss);

void run_forward(const FocalLossForward& args, Stream& stream) {
  const int64_t blocks = blocks_for(args.rows, kTermsOfBlock);
  const Scratch partial(stream, blocks * size_of(DType::f64));
  const FocalLossSums sums = {args, static_cast<double*>(partial.memory())};
  code.launch("focal_loss_forward", args.dtype, {.x = blocks}, stream, sums);
  code.launch("focal_loss_total", accumulation_dtype(args.dtype), {}, stream, sums.partial, blocks, args.scale,
              args.loss);
}

void run_backward(const FocalLossBackward& args, Stream& stream) {
  code.launch("focal_loss_backward", args.dtype, {.x = blocks_for(args.rows, 256)}, stream, args);
}

}  // namespace

void add_focal_loss() {
  add(focal_loss_forward, any_floating<FocalLossForward>, run_forward);
  add(focal_loss_backward, any_floating<FocalLossBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
