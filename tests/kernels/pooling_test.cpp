// Segment means over packed sequences of every length, and rows brought to unit length.
#include "kernels/pooling.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::NormalizeBackward;
using kernels::NormalizeForward;
using kernels::SegmentMeanBackward;
using kernels::SegmentMeanForward;

const std::vector<std::vector<int64_t>> kBatches = {{}, {0}, {1}, {0, 1, 0, 16, 17, 33}, {128, 129, 0}, {300}};

Values offsets_of(const std::vector<int64_t>& lengths) {
  Values offsets = {0};
  for (const int64_t length : lengths) offsets.push_back(offsets.back() + static_cast<double>(length));
  return offsets;
}

TEST(SegmentMean, EveryLengthAndWidth) {
  for (const auto& lengths : kBatches) {
    for (const int64_t width : {1, 7, 16, 33, 384}) {
      const Values offsets = offsets_of(lengths);
      const auto sequences = static_cast<int64_t>(lengths.size()), tokens = static_cast<int64_t>(offsets.back());
      Values x = normal(tokens * width, 70), dy = normal(sequences * width, 71);
      if (!x.empty()) x[x.size() / 2] = std::numeric_limits<double>::quiet_NaN();
      const auto mean_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        const auto b = i / static_cast<size_t>(width);
        const auto length = static_cast<int64_t>(lengths[b]);
        const double* column = v[0].data() + static_cast<int64_t>(offsets[b]) * width + static_cast<int64_t>(i) % width;
        return length == 0 ? 0 : 2 * sum_error(sum_dtype(dtype), length, largest(column, length, width));
      };
      const std::string text = std::to_string(sequences) + " sequences, width " + std::to_string(width);
      check_all(kernels::segment_mean_forward,
                Problem<SegmentMeanForward>{
                    text,
                    {Array::input("x", x), Array::input("offsets", offsets, Kind::index),
                     Array::output("y", sequences * width, mean_bound)},
                    [=](DType dtype, const Pointers& p) {
                      return SegmentMeanForward{p[0], static_cast<const int32_t*>(p[1]), p[2], sequences, width, dtype};
                    }});
      const auto one_division = [](size_t i, const std::vector<Values>& v, DType dtype) {
        return 2 * rounding(sum_dtype(dtype), v[2][i]);
      };
      check_all(kernels::segment_mean_backward,
                Problem<SegmentMeanBackward>{text,
                                             {Array::input("dy", dy), Array::input("offsets", offsets, Kind::index),
                                              Array::output("dx", tokens * width, one_division)},
                                             [=](DType dtype, const Pointers& p) {
                                               return SegmentMeanBackward{p[0],  static_cast<const int32_t*>(p[1]),
                                                                          p[2],  sequences,
                                                                          width, dtype};
                                             }});
    }
  }
}

TEST(Normalize, EveryWidth) {
  for (const int64_t width : kCounts) {
    for (const int64_t rows : {0, 1, 5, 33}) {
      // sqrt halves the relative error of the sum of squares, the division adds its own.
      const auto relative = [=](DType dtype) {
        return sum_error(sum_dtype(dtype), width, 1) + function_error(sum_dtype(dtype), 1);
      };
      const auto norm_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        return relative(dtype) * v[2][i];
      };
      const auto y_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        return relative(dtype) * std::abs(v[1][i]);
      };
      check_all(kernels::normalize_forward,
                Problem<NormalizeForward>{
                    std::to_string(rows) + "x" + std::to_string(width),
                    {Array::input("x", normal(rows * width, 72)), Array::output("y", rows * width, y_bound),
                     Array::output("norm", rows, norm_bound, Kind::statistic)},
                    [=](DType dtype, const Pointers& p) {
                      return NormalizeForward{p[0], p[1], p[2], rows, width, 1e-12, dtype};
                    }});
      if (width == 0) continue;
      Values dy = normal(rows * width, 73), y = normal(rows * width, 74), norms(static_cast<size_t>(rows), 2.5);
      for (int64_t r = 0; r < rows; ++r) {
        const double length = norm(y.data() + r * width, width);
        for (int64_t c = 0; c < width; ++c) y[static_cast<size_t>(r * width + c)] /= length;
      }
      if (rows > 2) norms[2] = 0.01;  // below eps: only a scale
      const auto dx_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        const auto start = static_cast<int64_t>(i) / width * width;
        const double along = norm(v[0].data() + start, width) * norm(v[1].data() + start, width);
        const double terms = std::abs(v[0][i]) + std::abs(v[1][i]) * along;
        return sum_error(sum_dtype(dtype), width, 2 * terms) / std::max(v[2][static_cast<size_t>(start / width)], 0.5);
      };
      check_all(kernels::normalize_backward,
                Problem<NormalizeBackward>{
                    std::to_string(rows) + "x" + std::to_string(width),
                    {Array::input("dy", dy), Array::input("y", y), Array::input("norm", norms, Kind::statistic),
                     Array::output("dx", rows * width, dx_bound)},
                    [=](DType dtype, const Pointers& p) {
                      return NormalizeBackward{p[0], p[1], p[2], p[3], rows, width, 0.5, dtype};
                    }});
    }
  }
}

TEST(Normalize, ZeroRowStaysZeroAndNanStaysInItsRow) {
  Values x = normal(4 * 17, 75);
  std::fill(x.begin() + 17, x.begin() + 34, 0.0);
  x[40] = std::numeric_limits<double>::quiet_NaN();
  const auto bound = [](size_t, const std::vector<Values>&, DType dtype) { return sum_error(sum_dtype(dtype), 17, 8); };
  check_all(
      kernels::normalize_forward,
      Problem<NormalizeForward>{
          "zero and NaN",
          {Array::input("x", x), Array::output("y", 4 * 17, bound), Array::output("norm", 4, bound, Kind::statistic)},
          [=](DType dtype, const Pointers& p) { return NormalizeForward{p[0], p[1], p[2], 4, 17, 1e-12, dtype}; }});
}

}  // namespace
}  // namespace suanli::testing
