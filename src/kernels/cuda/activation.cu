// Activations and their derivatives.
#include "kernels/activation.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/ref/activation.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void forward(const ActivationForward& args) {
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  Compute<T> x[kElements];
  load(static_cast<const T*>(args.x) + first, count, x);
#pragma unroll
  for (int e = 0; e < kElements; ++e) x[e] = ref::activate(args.kind, x[e]);
  store(static_cast<T*>(args.y) + first, count, x);
}

template <class T>
__device__ void backward(const ActivationBackward& args) {
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  Compute<T> x[kElements], dy[kElements];
  load(static_cast<const T*>(args.x) + first, count, x);
  load(static_cast<const T*>(args.dy) + first, count, dy);
#pragma unroll
  for (int e = 0; e < kElements; ++e) x[e] = ref::activation_gradient(args.kind, x[e], dy[e]);
  store(static_cast<T*>(args.dx) + first, count, x);
}

SUANLI_KERNELS(activation_forward, forward, ActivationForward, 256)
SUANLI_KERNELS(activation_backward, backward, ActivationBackward, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(activation);

void run_forward(const ActivationForward& args, Stream& stream) {
  code.launch("activation_forward", args.dtype, {.x = blocks_for(args.count, 256 * 8)}, stream, args);
}
void run_backward(const ActivationBackward& args, Stream& stream) {
  code.launch("activation_backward", args.dtype, {.x = blocks_for(args.count, 256 * 8)}, stream, args);
}

}  // namespace

void add_activation() {
  add(activation_forward, any_floating<ActivationForward>, run_forward);
  add(activation_backward, any_floating<ActivationBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
