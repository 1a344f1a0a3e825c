// Normalisation by the root of the mean square: values, statistics, gradients.
#include "kernels/rms_norm.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::RmsNormBackward;
using kernels::RmsNormForward;

struct RmsNormShape {
  int64_t rows, width;
};
const std::vector<RmsNormShape> kShapes = {{0, 16}, {1, 1},  {3, 7},   {2, 8},    {4, 16},
                                           {9, 17}, {2, 32}, {33, 33}, {130, 65}, {7, 576}};

std::string label(const RmsNormShape& s, bool wide) {
  return std::to_string(s.rows) + "x" + std::to_string(s.width) + (wide ? " f32 weights" : "");
}

/// Relative error of rstd: half of that of a sum of squares, and a root.
double rstd_error(int64_t width, DType dtype) {
  return sum_error(sum_dtype(dtype), width, 1) + function_error(sum_dtype(dtype), 1);
}

// Arrays: 0 x, 1 weight, 2 y, 3 rstd.
Problem<RmsNormForward> forward_problem(const RmsNormShape& s, bool wide, bool in_place) {
  const int64_t count = s.rows * s.width;
  const Kind weight_kind = wide ? Kind::statistic : Kind::data;
  const auto y_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    return std::abs(v[2][i]) * (rstd_error(s.width, dtype) + 4 * unit_roundoff(sum_dtype(dtype)));
  };
  const auto rstd_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    return v[3][i] * rstd_error(s.width, dtype);
  };
  Array y = Array::output("y", count, y_bound);
  return {label(s, wide) + (in_place ? " in place" : ""),
          {Array::input("x", normal(count, 50)), Array::input("weight", normal(s.width, 51), weight_kind),
           in_place ? std::move(y).over(0) : std::move(y), Array::output("rstd", s.rows, rstd_bound, Kind::statistic)},
          [=](DType dtype, const Pointers& p) {
            return RmsNormForward{
                p[0], p[1], p[2], p[3], s.rows, s.width, 1e-5, dtype, dtype_of_kind(weight_kind, dtype)};
          }};
}

TEST(RmsNormForward, EveryShape) {
  for (const RmsNormShape& shape : kShapes) {
    for (const bool wide : {false, true}) {
      check_all(kernels::rms_norm_forward, forward_problem(shape, wide, false));
      if (::testing::Test::HasFailure()) return;
    }
  }
  check_all(kernels::rms_norm_forward, forward_problem({5, 33}, false, true));
}

TEST(RmsNormForward, NanStaysInItsRow) {
  auto problem = forward_problem({5, 33}, false, false);
  problem.arrays[0].values[40] = std::numeric_limits<double>::quiet_NaN();
  check_all(kernels::rms_norm_forward, problem);
}

// Arrays: 0 dy, 1 x, 2 weight, 3 rstd, 4 dx, 5 dweight.
Problem<RmsNormBackward> backward_problem(const RmsNormShape& s, bool wide, bool want_x, bool want_weight,
                                          bool in_place = false) {
  const int64_t count = s.rows * s.width;
  const Kind weight_kind = wide ? Kind::statistic : Kind::data;
  const Values dy = normal(count, 52), x = normal(count, 53), weight = normal(s.width, 54);
  Values rstd, row_terms;  // row_terms: the largest terms of dx; 1.02 holds the rounding of the inputs to bf16
  for (int64_t r = 0; r < s.rows; ++r) {
    double squares = 0;
    for (int64_t c = 0; c < s.width; ++c) squares += std::pow(x[static_cast<size_t>(r * s.width + c)], 2);
    rstd.push_back(1 / std::sqrt(squares / static_cast<double>(s.width) + 1e-5));
    const double n = largest(x.data() + r * s.width, s.width) * rstd.back();
    const double g = largest(dy.data() + r * s.width, s.width) * largest(weight.data(), s.width);
    row_terms.push_back(1.02 * rstd.back() * (g + n * n * g));
  }
  const auto dx_bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
    return sum_error(sum_dtype(dtype), s.width, 2 * row_terms[i / static_cast<size_t>(s.width)]);
  };
  const auto dweight_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    double squares = 0, absolute = 0;
    for (int64_t r = 0; r < s.rows; ++r) {
      const size_t e = static_cast<size_t>(r * s.width) + i;
      const double term = v[0][e] * v[1][e] * v[3][static_cast<size_t>(r)];
      squares += term * term;
      absolute += std::abs(term);
    }
    return 4 * unit_roundoff(sum_dtype(dtype)) * absolute +
           sum_error(sum_dtype(dtype), s.rows, std::sqrt(squares * static_cast<double>(s.rows)));
  };
  Array dx = want_x ? Array::output("dx", count, dx_bound) : Array::absent("dx");
  return {label(s, wide) + (want_x ? "" : " no dx") + (want_weight ? "" : " no dweight"),
          {Array::input("dy", dy), Array::input("x", x), Array::input("weight", weight, weight_kind),
           Array::input("rstd", rstd, Kind::statistic), in_place ? std::move(dx).over(0) : std::move(dx),
           want_weight ? Array::output("dweight", s.width, dweight_bound, Kind::statistic) : Array::absent("dweight")},
          [=](DType dtype, const Pointers& p) {
            return RmsNormBackward{p[0], p[1],   p[2],    p[3],  p[4],
                                   p[5], s.rows, s.width, dtype, dtype_of_kind(weight_kind, dtype)};
          }};
}

TEST(RmsNormBackward, EveryShape) {
  for (const RmsNormShape& shape : kShapes) {
    for (const bool wide : {false, true}) {
      check_all(kernels::rms_norm_backward, backward_problem(shape, wide, true, true));
      check_all(kernels::rms_norm_backward, backward_problem(shape, wide, true, false));
      check_all(kernels::rms_norm_backward, backward_problem(shape, wide, false, true));
      if (::testing::Test::HasFailure()) return;
    }
  }
  check_all(kernels::rms_norm_backward, backward_problem({9, 33}, false, true, false, true));
}

}  // namespace
}  // namespace suanli::testing
