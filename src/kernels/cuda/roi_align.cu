// Features under boxes; the gradient gathered by each element of the map, in order and without atomics.
#include "kernels/roi_align.h"

#include "kernels/cuda/taps.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void sample_boxes(const RoiAlignForward& args) {
  using C = Compute<T>;
  const RoiAlignSizes& s = args.sizes;
  const ImagePlace at(s.boxes, s.out_height, s.out_width, s.channels);
  if (at.outside()) return;
  const C* box = static_cast<const C*>(args.boxes) + at.image * 4;
  const RoiAxis v = s.vertical(box), h = s.horizontal(box);
  const int64_t first_row = args.image_of[at.image] * s.height;
  C sum = 0;
  const auto add = [&](int64_t row, int64_t column, double weight) {
    const int64_t pixel = (first_row + row) * s.width + column;
    sum += static_cast<C>(weight) * widen(static_cast<const T*>(args.x)[pixel * s.channels + at.channel]);
  };
  for (int64_t sy = 0; sy < v.samples; ++sy) {
    const RoiAxis::Place y = v.place(at.y, sy);
    for (int64_t sx = 0; y.inside && sx < h.samples; ++sx) {
      const RoiAxis::Place x = h.place(at.x, sx);
      if (!x.inside) continue;
      add(y.low, x.low, (1 - y.share) * (1 - x.share));
      add(y.low, x.high, (1 - y.share) * x.share);
      add(y.high, x.low, y.share * (1 - x.share));
      add(y.high, x.high, y.share * x.share);
    }
  }
  static_cast<T*>(args.y)[at.element] = narrow<T>(sum * static_cast<C>(RoiAlignSizes::share(v, h)));
}

template <class T>
__device__ void sample_boxes_backward(const RoiAlignBackward& args) {
  using C = Compute<T>;
  const RoiAlignSizes& s = args.sizes;
  const ImagePlace at(s.images, s.height, s.width, s.channels);
  if (at.outside()) return;
  C sum = 0;
  for (int64_t n = 0; n < s.boxes; ++n) {
    if (args.image_of[n] != at.image) continue;
    const C* box = static_cast<const C*>(args.boxes) + n * 4;
    const RoiAxis v = s.vertical(box), h = s.horizontal(box);
    for (int64_t i = 0; i < s.out_height; ++i) {
      const double down = v.weight(i, at.y) * RoiAlignSizes::share(v, h);
      for (int64_t j = 0; down != 0 && j < s.out_width; ++j) {
        const double weight = down * h.weight(j, at.x);
        if (weight == 0) continue;
        const int64_t bin = (n * s.out_height + i) * s.out_width + j;
        sum += static_cast<C>(weight) * widen(static_cast<const T*>(args.dy)[bin * s.channels + at.channel]);
      }
    }
  }
  static_cast<T*>(args.dx)[at.element] = narrow<T>(sum);
}

SUANLI_KERNELS(roi_align_forward, sample_boxes, RoiAlignForward, 256, 1)
SUANLI_KERNELS(roi_align_backward, sample_boxes_backward, RoiAlignBackward, 256, 1)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(roi_align);

void run_forward(const RoiAlignForward& args, Stream& stream) {
  const RoiAlignSizes& s = args.sizes;
  code.launch("roi_align_forward", args.dtype,
              {.x = blocks_for(s.boxes * s.out_height * s.out_width * s.channels, 256)}, stream, args);
}
void run_backward(const RoiAlignBackward& args, Stream& stream) {
  const RoiAlignSizes& s = args.sizes;
  code.launch("roi_align_backward", args.dtype, {.x = blocks_for(s.images * s.height * s.width * s.channels, 256)},
              stream, args);
}

}  // namespace

void add_roi_align() {
  add(roi_align_forward, any_floating<RoiAlignForward>, run_forward);
  add(roi_align_backward, any_floating<RoiAlignBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
