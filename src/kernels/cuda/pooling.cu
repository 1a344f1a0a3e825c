// The mean over each packed sequence and its gradient: blocks of columns of a sequence.
#include "kernels/cuda/columns.h"
#include "kernels/pooling.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void mean_of_segments(const SegmentMeanForward& args) {
  using C = Compute<T>;
  const int64_t begin = args.offsets[blockIdx.x], end = args.offsets[blockIdx.x + 1];
  sum_rows<C, 1, kWide>(
      blockIdx.y, begin, end, args.width,
      [&](int64_t row, int64_t column, int64_t count, C(&values)[1][kWide]) {
        load(static_cast<const T*>(args.x) + row * args.width + column, count, values[0]);
      },
      [&](int, int64_t column, C sum) {
        static_cast<T*>(args.y)[blockIdx.x * args.width + column] =
            narrow<T>(begin == end ? C{0} : sum / static_cast<C>(end - begin));
      });
}

template <class T>
__device__ void spread_over_segments(const SegmentMeanBackward& args) {
  using C = Compute<T>;
  const ColumnPlace<kWide> place(blockIdx.y);
  if (place.column >= args.width) return;
  const int64_t begin = args.offsets[blockIdx.x], end = args.offsets[blockIdx.x + 1], count = args.width - place.column;
  C share[kElements];
  load(static_cast<const T*>(args.dy) + blockIdx.x * args.width + place.column, count, share);
#pragma unroll
  for (int e = 0; e < kElements; ++e) share[e] /= static_cast<C>(end - begin);
  for (int64_t row = begin + place.group; row < end; row += place.kRowGroups) {
    store(static_cast<T*>(args.dx) + row * args.width + place.column, count, share);
  }
}

SUANLI_KERNELS(segment_mean_forward, mean_of_segments, SegmentMeanForward, kColumnThreads)
SUANLI_KERNELS(segment_mean_backward, spread_over_segments, SegmentMeanBackward, kColumnThreads)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(pooling);

Grid grid_of(int64_t sequences, int64_t width) {
  return {.x = sequences, .y = blocks_for(width, columns_of_block(kWide)), .threads = kColumnThreads};
}
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
