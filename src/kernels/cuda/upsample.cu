// Images made larger or smaller, and the transposed map.
#include "kernels/upsample.h"

#include "kernels/cuda/taps.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void interpolate(const UpsampleForward& args) {
  using C = Compute<T>;
  const ResizeAxis &v = args.vertical, &h = args.horizontal;
  const ImagePlace at(args.images, v.out, h.out, args.channels);
  if (at.outside()) return;
  const ResizeAxis::Source y = v.source(at.y), x = h.source(at.x);
  const auto value = [&](int64_t row, int64_t column) {
    const int64_t pixel = (at.image * v.in + row) * h.in + column;
    return widen(static_cast<const T*>(args.x)[pixel * args.channels + at.channel]);
  };
  C sum;
  if (v.kind == Interpolation::nearest) {
    sum = value(y.first, x.first);
  } else {
    sum = static_cast<C>((1 - y.share) * (1 - x.share)) * value(y.first, x.first);
    sum += static_cast<C>((1 - y.share) * x.share) * value(y.first, x.second);
    sum += static_cast<C>(y.share * (1 - x.share)) * value(y.second, x.first);
    sum += static_cast<C>(y.share * x.share) * value(y.second, x.second);
  }
  static_cast<T*>(args.y)[at.element] = narrow<T>(sum);
}

template <class T>
__device__ void interpolate_backward(const UpsampleBackward& args) {
  using C = Compute<T>;
  const ResizeAxis &v = args.vertical, &h = args.horizontal;
  const ImagePlace at(args.images, v.in, h.in, args.channels);
  if (at.outside()) return;
  C sum = 0;
  for (int64_t oy = v.first_of(at.y); oy < v.end_of(at.y); ++oy) {
    const double down = v.weight(at.y, oy);
    if (down == 0) continue;
    for (int64_t ox = h.first_of(at.x); ox < h.end_of(at.x); ++ox) {
      const double weight = down * h.weight(at.x, ox);
      if (weight == 0) continue;
      const int64_t position = (at.image * v.out + oy) * h.out + ox;
      sum += static_cast<C>(weight) * widen(static_cast<const T*>(args.dy)[position * args.channels + at.channel]);
    }
  }
  static_cast<T*>(args.dx)[at.element] = narrow<T>(sum);
}

SUANLI_KERNELS(upsample_forward, interpolate, UpsampleForward, 256)
SUANLI_KERNELS(upsample_backward, interpolate_backward, UpsampleBackward, 256, 1)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(upsample);

Grid over(int64_t pixels, int64_t channels) { return {.x = blocks_for(pixels * channels, 256)}; }
void run_forward(const UpsampleForward& args, Stream& stream) {
  code.launch("upsample_forward", args.dtype,
              over(args.images * args.vertical.out * args.horizontal.out, args.channels), stream, args);
}
void run_backward(const UpsampleBackward& args, Stream& stream) {
  code.launch("upsample_backward", args.dtype, over(args.images * args.vertical.in * args.horizontal.in, args.channels),
              stream, args);
}

}  // namespace

void add_upsample() {
  add(upsample_forward, any_floating<UpsampleForward>, run_forward);
  add(upsample_backward, any_floating<UpsampleBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
