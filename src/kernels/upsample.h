/// Images made larger or smaller between layers (torch.nn.functional.interpolate).
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

enum class Interpolation : uint8_t { nearest, bilinear };

/// One axis of the map from an image of `in` places to one of `out`: out place o is (1 - share) of place `first` and
/// share of place `first + 1` (or `first` at the edge).
struct ResizeAxis {
  int64_t in, out;
  Interpolation kind;
  bool align_corners = false;

  struct Source {
    int64_t first, second;
    double share;
  };
  /// PyTorch's: nearest floor(o in / out); bilinear (o + 1/2) in / out - 1/2, at least 0, or o (in - 1) / (out - 1)
  /// where corners are aligned.
  constexpr Source source(int64_t o) const {
    if (kind == Interpolation::nearest) {
      const int64_t place = o * in / out;
      return {place, place, 0};
    }
    double place = (static_cast<double>(o) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    if (align_corners) {
      place = out > 1 ? static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0;
    }
    if (place < 0) place = 0;
    const auto floor = static_cast<int64_t>(place);
    const int64_t first = floor < in - 1 ? floor : in - 1;
    return {first, first < in - 1 ? first + 1 : first, place - static_cast<double>(first)};
  }
  /// What place i of the input gives to place o.
  constexpr double weight(int64_t i, int64_t o) const {
    const Source s = source(o);
    return (s.first == i ? 1 - s.share : 0) + (s.second == i ? s.share : 0);
  }
  /// The range of out places that place i may give to: all with a weight lie in it.
  constexpr int64_t first_of(int64_t i) const {
    const int64_t o = (i - 1) * out / in - out / in - 2;
    return o > 0 ? o : 0;
  }
  constexpr int64_t end_of(int64_t i) const {
    const int64_t o = (i + 2) * out / in + out / in + 3;
    return o < out ? o : out;
  }
};

/// y[b,h,w,c] of an image [out, out of the other axis] from x [in, in of the other axis], each axis by itself; x, y
/// [images, height, width, channels]. Computed in f32 (f64).
struct UpsampleForward {
  const void* x;
  void* y;
  int64_t images, channels;
  ResizeAxis vertical, horizontal;
  DType dtype;
};
inline Kernel<UpsampleForward> upsample_forward{"upsample.forward"};
Work work_of(const UpsampleForward& args);

/// The transposed map: dx[i] = sum over o of weight(i, o) dy[o].
struct UpsampleBackward {
  const void* dy;
  void* dx;
  int64_t images, channels;
  ResizeAxis vertical, horizontal;
  DType dtype;
};
inline Kernel<UpsampleBackward> upsample_backward{"upsample.backward"};
Work work_of(const UpsampleBackward& args);

}  // namespace suanli::kernels
