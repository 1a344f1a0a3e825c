/// Features under boxes, each box in as many bins (torchvision.ops.roi_align), channels last.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// One axis of a box over a map of `size` places: each of its bins is the mean of `samples` places between which the
/// map is interpolated.
struct RoiAxis {
  double start, bin;  ///< where the box begins and how long a bin is, in places of the map
  int64_t samples, size;

  /// torchvision's: `aligned` shifts by half a place; else a box has at least the length of one. `sampling_ratio` above
  /// 0: the samples of a bin; else a sample for each place of it, rounded up.
  static constexpr RoiAxis of(double first, double last, double spatial_scale, bool aligned, int64_t bins,
                              int64_t sampling_ratio, int64_t size) {
    const double offset = aligned ? 0.5 : 0, start = first * spatial_scale - offset;
    double length = last * spatial_scale - offset - start;
    if (!aligned && length < 1) length = 1;
    const double bin = length / static_cast<double>(bins);
    const auto whole = static_cast<int64_t>(bin);
    const int64_t rounded_up = whole + (static_cast<double>(whole) < bin ? 1 : 0);
    return {start, bin, sampling_ratio > 0 ? sampling_ratio : rounded_up, size};
  }

  /// (1 - share) of place `low` and share of place `high`; nothing more than a place outside of the map.
  struct Place {
    int64_t low, high;
    double share;
    bool inside;
  };
  constexpr Place place(int64_t b, int64_t sample) const {
    const double within = (static_cast<double>(sample) + 0.5) / static_cast<double>(samples);
    double at = start + (static_cast<double>(b) + within) * bin;
    if (!(at >= -1 && at <= static_cast<double>(size))) return {0, 0, 0, false};
    if (at < 0) at = 0;
    const auto low = static_cast<int64_t>(at);
    if (low >= size - 1) return {size - 1, size - 1, 0, true};
    return {low, low + 1, at - static_cast<double>(low), true};
  }
  /// What place p of the map counts in the sum of bin b.
  constexpr double weight(int64_t b, int64_t p) const {
    const double bin_start = start + static_cast<double>(b) * bin;
    if (bin_start > static_cast<double>(p + 1) && p < size - 1) return 0;
    if (bin_start + bin < static_cast<double>(p - 1) && p > 0) return 0;
    double sum = 0;
    for (int64_t sample = 0; sample < samples; ++sample) {
      const Place at = place(b, sample);
      if (!at.inside) continue;
      if (at.low == p) sum += 1 - at.share;
      if (at.high == p) sum += at.share;
    }
    return sum;
  }
};

struct RoiAlignSizes {
  int64_t images, height, width, channels;  ///< of the map
  int64_t boxes, out_height, out_width;     ///< bins of a box
  int64_t sampling_ratio;
  double spatial_scale;  ///< places of the map for a pixel of the boxes
  bool aligned;

  template <class C>
  constexpr RoiAxis vertical(const C* box) const {
    return RoiAxis::of(box[1], box[3], spatial_scale, aligned, out_height, sampling_ratio, height);
  }
  template <class C>
  constexpr RoiAxis horizontal(const C* box) const {
    return RoiAxis::of(box[0], box[2], spatial_scale, aligned, out_width, sampling_ratio, width);
  }
  /// One over the samples of a bin.
  static constexpr double share(const RoiAxis& v, const RoiAxis& h) {
    const int64_t samples = v.samples * h.samples;
    return 1 / static_cast<double>(samples > 0 ? samples : 1);
  }
};

/// y[n,i,j,c] = mean over the samples of bin (i, j) of box n of x[image_of[n],.,.,c], interpolated. x [images, height,
/// width, channels], boxes [boxes, 4] f32 (f64) of (x1, y1, x2, y2), image_of [boxes] i32, y [boxes, out_height,
/// out_width, channels].
struct RoiAlignForward {
  const void *x, *boxes;
  const int32_t* image_of;
  void* y;
  RoiAlignSizes sizes;
  DType dtype;
};
inline Kernel<RoiAlignForward> roi_align_forward{"roi_align.forward"};
Work work_of(const RoiAlignForward& args);

/// The transposed map, dy to dx; each dx summed in rising order of boxes and bins.
struct RoiAlignBackward {
  const void *dy, *boxes;
  const int32_t* image_of;
  void* dx;
  RoiAlignSizes sizes;
  DType dtype;
};
inline Kernel<RoiAlignBackward> roi_align_backward{"roi_align.backward"};
Work work_of(const RoiAlignBackward& args);

}  // namespace suanli::kernels
