// The gated unit of a feed-forward layer and its derivative: a block for each row.
#include "kernels/swiglu.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/ref/activation.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void forward(const SwigluForward& args) {
  using C = Compute<T>;
  const T* gate = static_cast<const T*>(args.x) + static_cast<int64_t>(blockIdx.x) * 2 * args.width;
  T* y = static_cast<T*>(args.y) + static_cast<int64_t>(blockIdx.x) * args.width;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C g[kElements], u[kElements];
    load(gate + c, count, g);
    load(gate + args.width + c, count, u);
#pragma unroll
    for (int e = 0; e < kElements; ++e) g[e] *= ref::sigmoid(g[e]) * u[e];
    store(y + c, count, g);
  });
}

template <class T>
__device__ void backward(const SwigluBackward& args) {
  using C = Compute<T>;
  const int64_t row = blockIdx.x;
  const T *gate = static_cast<const T*>(args.x) + row * 2 * args.width, *up = gate + args.width;
  const T* dy = static_cast<const T*>(args.dy) + row * args.width;
  T* dgate = static_cast<T*>(args.dx) + row * 2 * args.width;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    C g[kElements], u[kElements], d[kElements];
    load(gate + c, count, g);
    load(up + c, count, u);
    load(dy + c, count, d);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const C s = ref::sigmoid(g[e]);
      u[e] *= d[e] * (s * (1 + g[e] * (1 - s)));
      g[e] *= d[e] * s;
    }
    store(dgate + c, count, u);
    store(dgate + args.width + c, count, g);
  });
}

SUANLI_KERNELS(swiglu_forward, forward, SwigluForward, 256)
SUANLI_KERNELS(swiglu_backward, backward, SwigluBackward, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(swiglu);

void run_forward(const SwigluForward& args, Stream& stream) {
  code.launch("swiglu_forward", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}
void run_backward(const SwigluBackward& args, Stream& stream) {
  code.launch("swiglu_backward", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}

}  // namespace

void add_swiglu() {
  add(swiglu_forward, any_floating<SwigluForward>, run_forward);
  add(swiglu_backward, any_floating<SwigluBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
