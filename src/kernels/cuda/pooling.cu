// The mean over each packed sequence and its gradient: a thread for each column of a sequence.
#include "kernels/pooling.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void mean_of_segments(const SegmentMeanForward& args) {
  using C = Compute<T>;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x;
  if (column >= args.width) return;
  const int64_t begin = args.offsets[blockIdx.x], end = args.offsets[blockIdx.x + 1];
  C sum = 0;
  for (int64_t t = begin; t < end; ++t) sum += widen(static_cast<const T*>(args.x)[t * args.width + column]);
  static_cast<T*>(args.y)[blockIdx.x * args.width + column] =
      narrow<T>(begin == end ? C{0} : sum / static_cast<C>(end - begin));
}

template <class T>
__device__ void spread_over_segments(const SegmentMeanBackward& args) {
  using C = Compute<T>;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x;
  if (column >= args.width) return;
  const int64_t begin = args.offsets[blockIdx.x], end = args.offsets[blockIdx.x + 1];
  const C dy = widen(static_cast<const T*>(args.dy)[blockIdx.x * args.width + column]);
  const T share = narrow<T>(dy / static_cast<C>(end - begin));
  for (int64_t t = begin; t < end; ++t) static_cast<T*>(args.dx)[t * args.width + column] = share;
}

SUANLI_KERNELS(segment_mean_forward, mean_of_segments, SegmentMeanForward, 128)
SUANLI_KERNELS(segment_mean_backward, spread_over_segments, SegmentMeanBackward, 128)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(pooling);

Grid grid_of(int64_t sequences, int64_t width) { return {.x = sequences, .y = blocks_for(width, 128), .threads = 128}; }
void run_forward(const SegmentMeanForward& args, Stream& stream) {
  code.launch("segment_mean_forward", args.dtype, grid_of(args.sequences, args.width), stream, args);
}
void run_backward(const SegmentMeanBackward& args, Stream& stream) {
  code.launch("segment_mean_backward", args.dtype, grid_of(args.sequences, args.width), stream, args);
}

}  // namespace

void add_pooling() {
  add(segment_mean_forward, any_floating<SegmentMeanForward>, run_forward);
  add(segment_mean_backward, any_floating<SegmentMeanBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
