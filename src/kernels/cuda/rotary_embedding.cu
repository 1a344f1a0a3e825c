// Rotation of pairs of columns by position: a thread for each element.
#include "kernels/rotary_embedding.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void rotate(const RotaryEmbedding& args) {
  using C = Compute<T>;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= args.tokens * args.width) return;
  const int64_t token = i / args.width, column = i % args.width, half = args.head_size / 2;
  const T* x = static_cast<const T*>(args.x) + i;
  T* y = static_cast<T*>(args.y) + i;
  if (column >= args.heads * args.head_size) {
    *y = *x;
    return;
  }
  const int64_t within = column % args.head_size;
  const bool low = within < half;
  const C* row = static_cast<const C*>(args.table) + args.positions[token] * args.head_size;
  const C cosine = row[low ? within : within - half], sine = row[low ? within + half : within];
  const C other = widen(low ? x[half] : x[-half]);
  *y = narrow<T>(cosine * widen(*x) + (low == args.inverse ? sine : -sine) * other);
}

SUANLI_KERNELS(rotary_embedding, rotate, RotaryEmbedding, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(rotary_embedding);

void run(const RotaryEmbedding& args, Stream& stream) {
  code.launch("rotary_embedding", args.dtype, {.x = blocks_for(args.tokens * args.width, 256)}, stream, args);
}

}  // namespace

void add_rotary_embedding() { add(rotary_embedding, any_floating<RotaryEmbedding>, run); }

}  // namespace suanli::kernels::cuda

#endif
