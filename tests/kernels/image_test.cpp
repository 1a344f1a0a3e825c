// Kernels over images: windows as rows and back, depthwise convolutions, pooling, layouts, resizing, boxes.
#include <cmath>

#include "kernels/depthwise.h"
#include "kernels/harness.h"
#include "kernels/im2row.h"
#include "kernels/layout.h"
#include "kernels/pooling2d.h"
#include "kernels/roi_align.h"
#include "kernels/upsample.h"

namespace suanli::testing {
namespace {

using namespace kernels;

WindowAxis axis(int64_t in, int64_t kernel, int64_t stride = 1, int64_t padding = 0, int64_t dilation = 1) {
  const int64_t out = (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  return {in, out, kernel, stride, padding, dilation};
}

/// Images of one pixel and of many, windows that overlap, leave gaps, reach outside and skip, every width of vectors.
std::vector<Windows> all_windows(bool dilated) {
  std::vector<Windows> out = {{0, 3, axis(5, 3), axis(4, 2)},
                              {1, 1, axis(1, 1), axis(1, 1)},
                              {3, 17, axis(7, 3, 2, 1), axis(5, 2, 3)},
                              {2, 3, axis(6, 3, 1, 1), axis(9, 5, 2, 2)},
                              {2, 48, axis(8, 3, 1, 1), axis(9, 3, 1, 1)}};
  if (dilated) out.push_back({2, 33, axis(9, 3, 1, 2, 2), axis(8, 2, 2, 0, 3)});
  return out;
}

std::string text_of(const Windows& w) {
  return std::to_string(w.images) + "x" + std::to_string(w.vertical.in) + "x" + std::to_string(w.horizontal.in) + "x" +
         std::to_string(w.channels) + " taps " + std::to_string(w.taps()) + " stride " +
         std::to_string(w.vertical.stride);
}

/// Of a sum of `terms` normal numbers, or products of two; those drawn here stay below 6.
Bound sum_bound(int64_t terms, int factors = 1) {
  return [=](size_t, const std::vector<Values>&, DType dtype) {
    return sum_error(sum_dtype(dtype), terms + 1, static_cast<double>(terms + 1) * std::pow(6.0, factors));
  };
}
double no_error(size_t, const std::vector<Values>&, DType) { return 0; }

TEST(Im2Row, EveryWindow) {
  for (const Windows& w : all_windows(true)) {
    for (const int64_t more : {0, 2}) {  // channels of other groups beside
      const int64_t pitch = w.channels + more;
      check_all(im2row, Problem<Im2Row>{text_of(w),
                                        {Array::input("x", normal(w.pixels() * pitch, 1)),
                                         Array::output("rows", w.positions() * w.taps() * w.channels, no_error)},
                                        [=](DType dtype, const Pointers& p) {
                                          return Im2Row{p[0], p[1], w, pitch, dtype};
                                        }});
    }
  }
}

TEST(Row2Im, EveryWindow) {
  for (const Windows& w : all_windows(true)) {
    for (const bool biased : {false, true}) {
      check_all(row2im,
                Problem<Row2Im>{
                    text_of(w),
                    {Array::input("rows", normal(w.positions() * w.taps() * w.channels, 2)),
                     biased ? Array::input("bias", normal(w.channels, 3), Kind::statistic) : Array::absent("bias"),
                     Array::output("y", w.pixels() * w.channels, sum_bound(w.taps()))},
                    [=](DType dtype, const Pointers& p) { return Row2Im{p[0], p[1], p[2], w, w.channels, dtype}; }});
    }
  }
}

TEST(Depthwise, EveryWindow) {
  for (const Windows& w : all_windows(true)) {
    const Values x = normal(w.pixels() * w.channels, 4), dy = normal(w.positions() * w.channels, 5);
    const Values weight = normal(w.taps() * w.channels, 6);
    check_all(depthwise_forward,
              Problem<DepthwiseForward>{
                  text_of(w),
                  {Array::input("x", x), Array::input("weight", weight),
                   w.images == 3 ? Array::absent("bias") : Array::input("bias", normal(w.channels, 7), Kind::statistic),
                   Array::output("y", w.positions() * w.channels, sum_bound(w.taps(), 2))},
                  [=](DType dtype, const Pointers& p) { return DepthwiseForward{p[0], p[1], p[2], p[3], w, dtype}; }});
    check_all(depthwise_backward,
              Problem<DepthwiseBackward>{text_of(w),
                                         {Array::input("dy", dy), Array::input("weight", weight),
                                          Array::output("dx", w.pixels() * w.channels, sum_bound(w.taps(), 2))},
                                         [=](DType dtype, const Pointers& p) {
                                           return DepthwiseBackward{p[0], p[1], p[2], w, dtype};
                                         }});
    const auto norms = [=](size_t, const std::vector<Values>& v, DType dtype) {
      return sum_error(sum_dtype(dtype), w.positions() + 1, norm(v[0]) * norm(v[1]));
    };
    check_all(depthwise_weight,
              Problem<DepthwiseWeight>{text_of(w),
                                       {Array::input("dy", dy), Array::input("x", x),
                                        Array::output("dweight", w.taps() * w.channels, norms, Kind::statistic)},
                                       [=](DType dtype, const Pointers& p) {
                                         return DepthwiseWeight{p[0], p[1], p[2], w, dtype};
                                       }});
  }
}

TEST(MaxPool, EveryWindow) {
  for (const Windows& w : all_windows(false)) {
    Values x = normal(w.pixels() * w.channels, 8);
    if (x.size() > 40) x[40] = std::numeric_limits<double>::quiet_NaN();
    if (x.size() > 9) x[8] = x[9];
    const int64_t outputs = w.positions() * w.channels;
    check_all(max_pool_forward,
              Problem<MaxPoolForward>{text_of(w),
                                      {Array::input("x", x), Array::output("y", outputs, no_error),
                                       Array::output("tap", outputs, no_error, Kind::index)},
                                      [=](DType dtype, const Pointers& p) {
                                        return MaxPoolForward{p[0], p[1], static_cast<int32_t*>(p[2]), w, dtype};
                                      }});
    Values tap(static_cast<size_t>(outputs));
    for (size_t i = 0; i < tap.size(); ++i) tap[i] = static_cast<double>(i * 7 % static_cast<size_t>(w.taps()));
    check_all(max_pool_backward, Problem<MaxPoolBackward>{
                                     text_of(w),
                                     {Array::input("dy", normal(outputs, 9)), Array::input("tap", tap, Kind::index),
                                      Array::output("dx", w.pixels() * w.channels, sum_bound(w.taps()))},
                                     [=](DType dtype, const Pointers& p) {
                                       return MaxPoolBackward{p[0], static_cast<const int32_t*>(p[1]), p[2], w, dtype};
                                     }});
  }
}

TEST(AvgPool, EveryWindow) {
  for (const Windows& w : all_windows(false)) {
    for (const bool padding : {false, true}) {
      const int64_t outputs = w.positions() * w.channels;
      check_all(avg_pool_forward, Problem<AvgPoolForward>{text_of(w),
                                                          {Array::input("x", normal(w.pixels() * w.channels, 10)),
                                                           Array::output("y", outputs, sum_bound(w.taps()))},
                                                          [=](DType dtype, const Pointers& p) {
                                                            return AvgPoolForward{p[0], p[1], w, padding, dtype};
                                                          }});
      check_all(avg_pool_backward,
                Problem<AvgPoolBackward>{text_of(w),
                                         {Array::input("dy", normal(outputs, 11)),
                                          Array::output("dx", w.pixels() * w.channels, sum_bound(w.taps()))},
                                         [=](DType dtype, const Pointers& p) {
                                           return AvgPoolBackward{p[0], p[1], w, padding, dtype};
                                         }});
    }
  }
}

TEST(Layout, ColumnsAreCopiedAndOthersStay) {
  for (const int64_t rows : {0, 1, 65}) {
    for (const int64_t width : {1, 37}) {
      // The last column of y stays what it was: the bound holds for it, too, because ref leaves it alone as well.
      check_all(copy_columns, Problem<CopyColumns>{std::to_string(rows) + "x" + std::to_string(width),
                                                   {Array::input("x", normal(rows * (width + 3), 12)),
                                                    Array::output("y", rows * (width + 1), no_error)},
                                                   [=](DType dtype, const Pointers& p) {
                                                     return CopyColumns{p[0],      p[1],      rows, width,
                                                                        width + 3, width + 1, dtype};
                                                   }});
    }
  }
}

TEST(Layout, EveryTranspose) {
  for (const int64_t batch : {0, 3}) {
    for (const int64_t rows : {1, 5, 70}) {
      for (const int64_t columns : {1, 9, 64}) {
        const int64_t count = batch * rows * columns;
        check_all(transpose,
                  Problem<Transpose>{std::to_string(batch) + "x" + std::to_string(rows) + "x" + std::to_string(columns),
                                     {Array::input("x", normal(count, 13)), Array::output("y", count, no_error)},
                                     [=](DType dtype, const Pointers& p) {
                                       return Transpose{p[0], p[1], batch, rows, columns, dtype};
                                     }});
      }
    }
  }
}

TEST(Layout, EveryShuffle) {
  struct Deep {
    int64_t images, height, width, channels, factor;
  };
  for (const Deep& d : {Deep{0, 3, 2, 4, 2}, Deep{1, 1, 1, 1, 1}, Deep{2, 3, 5, 3, 2}, Deep{1, 4, 3, 17, 3}}) {
    for (const bool inverse : {false, true}) {
      const int64_t count = d.images * d.height * d.width * d.channels * d.factor * d.factor;
      check_all(pixel_shuffle,
                Problem<PixelShuffle>{std::to_string(count) + (inverse ? " back" : ""),
                                      {Array::input("x", normal(count, 16)), Array::output("y", count, no_error)},
                                      [=](DType dtype, const Pointers& p) {
                                        return PixelShuffle{p[0],       p[1],     d.images, d.height, d.width,
                                                            d.channels, d.factor, inverse,  dtype};
                                      }});
    }
  }
}

TEST(Upsample, EverySizeAndKind) {
  struct Sizes {
    int64_t in, out;
  };
  for (const auto& [kind, corners] : std::vector<std::pair<Interpolation, bool>>{
           {Interpolation::nearest, false}, {Interpolation::bilinear, false}, {Interpolation::bilinear, true}}) {
    for (const Sizes& v : {Sizes{1, 5}, Sizes{3, 6}, Sizes{7, 3}}) {
      for (const Sizes& h : {Sizes{4, 4}, Sizes{2, 9}, Sizes{9, 1}}) {
        const int64_t channels = h.out == 4 ? 17 : v.in;
        const ResizeAxis vertical = {v.in, v.out, kind, corners}, horizontal = {h.in, h.out, kind, corners};
        const std::string text = std::to_string(v.in) + "x" + std::to_string(h.in) + " to " + std::to_string(v.out) +
                                 "x" + std::to_string(h.out) + (corners ? " corners" : "");
        const int64_t inputs = 2 * v.in * h.in * channels, outputs = 2 * v.out * h.out * channels;
        check_all(
            upsample_forward,
            Problem<UpsampleForward>{text,
                                     {Array::input("x", normal(inputs, 14)), Array::output("y", outputs, sum_bound(4))},
                                     [=](DType dtype, const Pointers& p) {
                                       return UpsampleForward{p[0], p[1], 2, channels, vertical, horizontal, dtype};
                                     }});
        check_all(upsample_backward,
                  Problem<UpsampleBackward>{
                      text,
                      {Array::input("dy", normal(outputs, 15)), Array::output("dx", inputs, sum_bound(v.out * h.out))},
                      [=](DType dtype, const Pointers& p) {
                        return UpsampleBackward{p[0], p[1], 2, channels, vertical, horizontal, dtype};
                      }});
      }
    }
  }
}

// Boxes within a place, over many, beyond the edges and outside of the map; by one, two and as many samples as places.
TEST(RoiAlign, EveryBoxAndSampling) {
  const Values boxes = {1, 2,    9,  7,  -3.5, 0.25, 4, 6, 12,   12,    60, 40, 3.3, 4,
                        3, 4.25, 30, 30, 33,   34,   0, 0, 23.5, 15.75, -9, -8, -7,  -6};
  const Values image_of = {0, 1, 1, 0, 1, 0, 1};
  const auto count = static_cast<int64_t>(image_of.size());
  for (const bool aligned : {false, true}) {
    for (const int64_t samples : {0, 1, 2}) {
      for (const int64_t channels : {1, 17}) {
        const RoiAlignSizes sizes = {2, 8, 12, channels, count, 3, 2, samples, 0.5, aligned};
        const std::string text = std::to_string(samples) + " samples, " + std::to_string(channels) + " channels" +
                                 (aligned ? ", aligned" : "");
        const int64_t inputs = 2 * 8 * 12 * channels, outputs = count * 3 * 2 * channels;
        const Array where = Array::input("boxes", boxes, Kind::statistic);
        const Array which = Array::input("image_of", image_of, Kind::index);
        check_all(
            roi_align_forward,
            Problem<RoiAlignForward>{
                text,
                {Array::input("x", normal(inputs, 24)), where, which, Array::output("y", outputs, sum_bound(4 * 16))},
                [=](DType dtype, const Pointers& p) {
                  return RoiAlignForward{p[0], p[1], static_cast<const int32_t*>(p[2]), p[3], sizes, dtype};
                }});
        check_all(roi_align_backward,
                  Problem<RoiAlignBackward>{text,
                                            {Array::input("dy", normal(outputs, 25)), where, which,
                                             Array::output("dx", inputs, sum_bound(count * 3 * 2 * 16))},
                                            [=](DType dtype, const Pointers& p) {
                                              return RoiAlignBackward{p[0], p[1],  static_cast<const int32_t*>(p[2]),
                                                                      p[3], sizes, dtype};
                                            }});
      }
    }
  }
}

}  // namespace
}  // namespace suanli::testing
