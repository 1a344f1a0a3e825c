// Soft Dice loss: a thread for each pixel, which has few classes; a block for the sums of a class over a picture.
#include "kernels/cuda/sums.h"
#include "kernels/dice_loss.h"

namespace suanli::kernels::cuda {

/// The forward launches: `part` [pictures, classes] takes what each class adds to the loss.
struct DiceLossParts {
  DiceLossForward args;
  double* part;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void log_sum_exp_of_pixel(const DiceLossForward& args) {
  using C = Compute<T>;
  const int64_t pixel = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (pixel >= args.pictures * args.pixels) return;
  const T* x = static_cast<const T*>(args.logits) + pixel * args.classes;
  C largest = -infinity<C>(), total = 0;
  for (int64_t c = 0; c < args.classes; ++c) {
    const C value = widen(x[c]);
    if (!(value <= largest)) largest = value;
  }
  for (int64_t c = 0; c < args.classes; ++c) total += exp(widen(x[c]) - largest);
  static_cast<C*>(args.lse)[pixel] = largest + log(total);
}

template <class T>
__device__ void overlap_of_class(const DiceLossParts& parts) {
  using C = Compute<T>;
  const DiceLossForward& args = parts.args;
  const int64_t picture = blockIdx.x, c = blockIdx.y;
  double counted = 0, common = 0, predicted = 0, truth = 0;
  for (int64_t i = picture * args.pixels + threadIdx.x; i < (picture + 1) * args.pixels; i += blockDim.x) {
    if (args.labels[i] == args.ignore) continue;
    const C x = widen(static_cast<const T*>(args.logits)[i * args.classes + c]);
    const double p = static_cast<double>(exp(x - static_cast<const C*>(args.lse)[i]));
    counted += 1;
    predicted += p;
    if (args.labels[i] != c) continue;
    common += p;
    truth += 1;
  }
  counted = block_sum(counted);
  predicted = block_sum(predicted);
  common = block_sum(common);
  truth = block_sum(truth);
  if (threadIdx.x != 0) return;
  const double overlap = 2 * common + args.smooth, sum = predicted + truth + args.smooth;
  const double weight = counted / static_cast<double>(args.classes);
  const int64_t at = picture * args.classes + c;
  static_cast<C*>(args.all)[at] = static_cast<C>(weight * overlap / (sum * sum));
  static_cast<C*>(args.own)[at] = static_cast<C>(2 * weight / sum);
  parts.part[at] = weight * (1 - overlap / sum);
}

template <class T>
__device__ void dice_gradient(const DiceLossBackward& args) {
  using C = Compute<T>;
  const int64_t pixel = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (pixel >= args.pictures * args.pixels) return;
  const T* x = static_cast<const T*>(args.logits) + pixel * args.classes;
  T* dx = static_cast<T*>(args.dlogits) + pixel * args.classes;
  const C* all = static_cast<const C*>(args.all) + pixel / args.pixels * args.classes;
  const C* own = static_cast<const C*>(args.own) + pixel / args.pixels * args.classes;
  const int32_t label = args.labels[pixel];
  const C lse = static_cast<const C*>(args.lse)[pixel];
  const C weight = *static_cast<const C*>(args.dloss) * static_cast<C>(args.scale);
  C mean = 0;
  for (int64_t c = 0; c < args.classes; ++c) {
    mean += exp(widen(x[c]) - lse) * (c == label ? all[c] - own[c] : all[c]);
  }
  for (int64_t c = 0; c < args.classes; ++c) {
    const C slope = c == label ? all[c] - own[c] : all[c];
    dx[c] = narrow<T>(label == args.ignore ? C{0} : weight * exp(widen(x[c]) - lse) * (slope - mean));
  }
}

SUANLI_KERNELS(dice_loss_pixels, log_sum_exp_of_pixel, DiceLossForward, 256)
SUANLI_KERNELS(dice_loss_classes, overlap_of_class, DiceLossParts, 256)
SUANLI_KERNELS(dice_loss_backward, dice_gradient, DiceLossBackward, 256)

extern "C" __global__ void dice_loss_total_f32(const double* part, int64_t count, double scale, float* loss) {
  total_sum(part, count, scale, loss);
}
extern "C" __global__ void dice_loss_total_f64(const double* part, int64_t count, double scale, double* loss) {
  total_sum(part, count, scale, loss);
}

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(dice_loss);

void run_forward(const DiceLossForward& args, Stream& stream) {
  const int64_t terms = args.pictures * args.classes;
  const Scratch part(stream, terms * size_of(DType::f64));
  const DiceLossParts parts = {args, static_cast<double*>(part.memory())};
  code.launch("dice_loss_pixels", args.dtype, {.x = blocks_for(args.pictures * args.pixels, 256)}, stream, args);
  code.launch("dice_loss_classes", args.dtype, {.x = args.pictures, .y = args.classes}, stream, parts);
  code.launch("dice_loss_total", accumulation_dtype(args.dtype), {}, stream, parts.part, terms, args.scale, args.loss);
}

void run_backward(const DiceLossBackward& args, Stream& stream) {
  code.launch("dice_loss_backward", args.dtype, {.x = blocks_for(args.pictures * args.pixels, 256)}, stream, args);
}

}  // namespace

void add_dice_loss() {
  add(dice_loss_forward, any_floating<DiceLossForward>, run_forward);
  add(dice_loss_backward, any_floating<DiceLossBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
