// Layer normalisation, alone and fused with dropout and the residual: values, statistics, gradients, masks.
#include "kernels/layer_norm.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::DropoutKey;
using kernels::LayerNormBackward;
using kernels::LayerNormForward;

struct LayerNormShape {
  int64_t rows, width;
};
const std::vector<LayerNormShape> kShapes = {{0, 16}, {1, 1},    {3, 7},    {2, 8},    {5, 15},
                                             {4, 16}, {9, 17},   {3, 31},   {2, 32},   {33, 33},
                                             {7, 64}, {130, 65}, {67, 384}, {3, 1536}, {2, 1537}};
const DropoutKey kDropout = {0.2F, {.seed = 11, .step = 5, .site = 2}};

struct Options {
  bool residual = false, wide_weight = false, keep_sum = true, dropout = false;
};

std::string label(const LayerNormShape& s, const Options& o) {
  return std::to_string(s.rows) + "x" + std::to_string(s.width) + (o.residual ? " residual" : "") +
         (o.dropout ? " dropout" : "") + (o.wide_weight ? " f32 weights" : "");
}

// Arrays: 0 x, 1 residual, 2 weight, 3 bias, 4 y, 5 sum, 6 mean, 7 rstd.
// `x` replaces the normal numbers of that input.
Problem<LayerNormForward> forward_problem(const LayerNormShape& s, const Options& o, double eps = 1e-12,
                                          Values x = {}) {
  const int64_t count = s.rows * s.width;
  if (x.empty()) x = normal(count, 30);
  const Values residual = o.residual ? normal(count, 31) : Values();
  const Kind weight_kind = o.wide_weight ? Kind::statistic : Kind::data;
  const DropoutKey key = o.dropout ? kDropout : DropoutKey{};
  // Largest element of each row that is normalised; 1.26 holds the largest dropout factor and the rounding to bf16.
  Values row_size;
  for (int64_t row = 0; row < s.rows; ++row) {
    const double from_residual = o.residual ? largest(residual.data() + row * s.width, s.width) : 0;
    row_size.push_back(1.26 * (largest(x.data() + row * s.width, s.width) + from_residual));
  }
  // The mean and each deviation carry the roundings of a sum of `width` elements of this size, the variance as well.
  const auto sum_part = [s](DType dtype) { return sum_error(sum_dtype(dtype), s.width, 1); };
  const auto mean_bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
    return sum_part(dtype) * row_size[i];
  };
  // rstd = var^-1/2: a relative error e of the variance is e/2 here; deviations off by d change var by 2 d max|dev|.
  const auto rstd_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    const double size = row_size[i], rstd = v[7][i];
    return rstd * sum_part(dtype) * (kFunctionRoundings + 2 * size * size * rstd * rstd);
  };
  const auto y_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    const size_t row = i / static_cast<size_t>(s.width), column = i % static_cast<size_t>(s.width);
    const double size = row_size[row], n = std::abs(v[4][i] - v[3][column]);
    const double from_rstd = n * rstd_bound(row, v, dtype) / v[7][row];
    const double from_deviation = sum_part(dtype) * size * v[7][row] * std::abs(v[2][column]);
    return from_rstd + from_deviation + 4 * rounding(sum_dtype(dtype), n + std::abs(v[3][column]));
  };
  const auto sum_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    return 4 * rounding(sum_dtype(dtype), std::abs(v[0][i]) + std::abs(v[1][i]));
  };
  Problem<LayerNormForward> problem;
  problem.label = label(s, o);
  problem.arrays = {Array::input("x", x),
                    o.residual ? Array::input("residual", residual) : Array::absent("residual"),
                    Array::input("weight", normal(s.width, 32), weight_kind),
                    Array::input("bias", normal(s.width, 33), weight_kind),
                    Array::output("y", count, y_bound),
                    o.residual && o.keep_sum ? Array::output("sum", count, sum_bound) : Array::absent("sum"),
                    Array::output("mean", s.rows, mean_bound, Kind::statistic),
                    Array::output("rstd", s.rows, rstd_bound, Kind::statistic)};
  problem.args = [=](DType dtype, const Pointers& p) {
    return LayerNormForward{p[0], p[1],   p[2],    p[3], p[4], p[5],  p[6],
                            p[7], s.rows, s.width, eps,  key,  dtype, dtype_of_kind(weight_kind, dtype)};
  };
  return problem;
}

TEST(LayerNormForward, EveryShape) {
  for (const LayerNormShape& shape : kShapes) {
    // Width 1 and eps 1e-12 divide rounding by rounding; a real eps keeps the question well posed.
    const double eps = shape.width == 1 ? 1e-2 : 1e-12;
    for (const bool wide : {false, true}) {
      check_all(kernels::layer_norm_forward, forward_problem(shape, {.wide_weight = wide}, eps));
      if (shape.width == 1) continue;
      for (const bool dropped : {false, true}) {
        for (const bool keep : {false, true}) {
          check_all(kernels::layer_norm_forward, forward_problem(shape, {true, wide, keep, dropped}, eps));
        }
      }
    }
  }
}

// A row far from zero: the variance must come from deviations, not from a difference of squares.
TEST(LayerNormForward, OffsetRowsKeepTheirVariance) {
  Values x = normal(4 * 384, 34);
  for (double& value : x) value += 100;
  const auto problem = forward_problem({4, 384}, {}, 1e-5, x);
  check(kernels::layer_norm_forward, problem, DType::f32);
  check(kernels::layer_norm_forward, problem, DType::f64);
}

TEST(LayerNormForward, ConstantRowGivesTheBias) {
  check_all(kernels::layer_norm_forward, forward_problem({3, 65}, {}, 1e-5, Values(3 * 65, 2.0)));
}

TEST(LayerNormForward, NanStaysInItsRow) {
  auto problem = forward_problem({5, 33}, {.residual = true});
  problem.arrays[0].values[40] = std::numeric_limits<double>::quiet_NaN();
  problem.arrays[1].values[100] = std::numeric_limits<double>::quiet_NaN();
  check_all(kernels::layer_norm_forward, problem);
}

// The mask of the fused kernel is dropout_factor, bit by bit: with residual 0 and x 1 the kept sum is the mask itself.
TEST(LayerNormForward, MaskIsTheCountedOneBitByBit) {
  const int64_t rows = 37, width = 129;
  for (const auto& implementation : kernels::layer_norm_forward.implementations()) {
    std::vector<float> x(rows * width, 1), residual(rows * width, 0), weight(width, 1), bias(width, 0);
    std::vector<float> y(rows * width), sum(rows * width), mean(rows), rstd(rows);
    Arrays arrays(implementation.device);
    if (!arrays.usable()) continue;
    const LayerNormForward args{arrays(x),   arrays(residual), arrays(weight), arrays(bias), arrays(y),
                                arrays(sum), arrays(mean),     arrays(rstd),   rows,         width,
                                1e-5,        kDropout,         DType::f32,     DType::f32};
    if (implementation.can_run(args, machine()) != nullptr) continue;
    arrays.run([&](Stream& stream) { implementation.run(args, stream); });
    for (size_t i = 0; i < sum.size(); ++i) {
      ASSERT_EQ(sum[i], kernels::dropout_factor(kDropout, i)) << implementation.name << " element " << i;
    }
  }
}

// Arrays: 0 dy, 1 sum, 2 weight, 3 mean, 4 rstd, 5 dx, 6 dresidual, 7 dweight, 8 dbias. The statistics are those of
// `sum`, as forward leaves them.
Problem<LayerNormBackward> backward_problem(const LayerNormShape& s, const Options& o, bool dx_wanted,
                                            bool weights_wanted, bool shared = false) {
  const Kind weight_kind = o.wide_weight ? Kind::statistic : Kind::data;
  const DropoutKey key = o.dropout ? kDropout : DropoutKey{};
  const int64_t count = s.rows * s.width;
  const Values sum = normal(count, 40, 1.5);
  Values mean, rstd;
  for (int64_t r = 0; r < s.rows; ++r) {
    double total = 0, squares = 0;
    for (int64_t c = 0; c < s.width; ++c) total += sum[static_cast<size_t>(r * s.width + c)];
    mean.push_back(total / static_cast<double>(s.width));
    for (int64_t c = 0; c < s.width; ++c) {
      squares += std::pow(sum[static_cast<size_t>(r * s.width + c)] - mean.back(), 2);
    }
    rstd.push_back(1 / std::sqrt(squares / static_cast<double>(s.width) + 1e-2));
  }
  // Largest normalised value and largest g of a row bound every term of dsum; 1.26 as in forward.
  const Values dy = normal(count, 41), weight = normal(s.width, 42);
  Values row_terms;
  for (int64_t r = 0; r < s.rows; ++r) {
    const auto at = static_cast<size_t>(r);
    const double n = (largest(sum.data() + r * s.width, s.width) + std::abs(mean[at])) * rstd[at];
    const double g = largest(dy.data() + r * s.width, s.width) * largest(weight.data(), s.width);
    row_terms.push_back(1.26 * rstd[at] * (g + g + 2 * n * n * g));
  }
  const auto dx_bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
    return sum_error(sum_dtype(dtype), s.width, 2 * row_terms[i / static_cast<size_t>(s.width)]);
  };
  const auto column_bound = [s](size_t i, const std::vector<Values>& v, DType dtype, bool times_n) {
    double squares = 0, absolute = 0;
    for (int64_t r = 0; r < s.rows; ++r) {
      const auto at = static_cast<size_t>(r);
      const size_t e = at * static_cast<size_t>(s.width) + i;
      const double n = times_n ? (std::abs(v[1][e]) + std::abs(v[3][at])) * v[4][at] : 1;
      squares += std::pow(v[0][e] * n, 2);
      absolute += std::abs(v[0][e] * n);
    }
    // Roundings of n itself (a few per term), then of the sum over rows.
    return 4 * unit_roundoff(sum_dtype(dtype)) * absolute +
           sum_error(sum_dtype(dtype), s.rows, std::sqrt(squares * static_cast<double>(s.rows)));
  };
  const auto dweight_bound = [=](size_t i, const std::vector<Values>& v, DType d) {
    return column_bound(i, v, d, true);
  };
  const auto dbias_bound = [=](size_t i, const std::vector<Values>& v, DType d) {
    return column_bound(i, v, d, false);
  };

  Problem<LayerNormBackward> problem;
  problem.label =
      label(s, o) + (dx_wanted ? "" : " no dx") + (weights_wanted ? "" : " no dweight") + (shared ? " shared" : "");
  Array dresidual = o.residual ? Array::output("dresidual", count, dx_bound) : Array::absent("dresidual");
  problem.arrays = {
      Array::input("dy", dy),
      Array::input("sum", sum),
      Array::input("weight", normal(s.width, 42), weight_kind),
      Array::input("mean", mean, Kind::statistic),
      Array::input("rstd", rstd, Kind::statistic),
      dx_wanted ? Array::output("dx", count, dx_bound) : Array::absent("dx"),
      shared ? std::move(dresidual).over(5) : std::move(dresidual),
      weights_wanted ? Array::output("dweight", s.width, dweight_bound, Kind::statistic) : Array::absent("dweight"),
      weights_wanted ? Array::output("dbias", s.width, dbias_bound, Kind::statistic) : Array::absent("dbias")};
  problem.args = [=](DType dtype, const Pointers& p) {
    return LayerNormBackward{p[0], p[1], p[2],   p[3],    p[4], p[5],  p[6],
                             p[7], p[8], s.rows, s.width, key,  dtype, dtype_of_kind(weight_kind, dtype)};
  };
  return problem;
}

TEST(LayerNormBackward, EveryShape) {
  for (const LayerNormShape& shape : kShapes) {
    for (const bool wide : {false, true}) {
      for (const bool weights : {false, true}) {
        check_all(kernels::layer_norm_backward, backward_problem(shape, {.wide_weight = wide}, true, weights));
        check_all(kernels::layer_norm_backward,
                  backward_problem(shape, {.residual = true, .wide_weight = wide}, false, weights));
        check_all(kernels::layer_norm_backward,
                  backward_problem(shape, {.residual = true, .wide_weight = wide}, true, weights, true));
        check_all(kernels::layer_norm_backward,
                  backward_problem(shape, {.residual = true, .wide_weight = wide, .dropout = true}, true, weights));
        // Dropout without a wanted residual gradient: dx still carries the factor.
        check_all(kernels::layer_norm_backward,
                  backward_problem(shape, {.wide_weight = wide, .dropout = true}, true, weights));
      }
    }
  }
}

TEST(LayerNormBackward, DroppedElementsHaveNoGradientAndKeptOnesTheirFactor) {
  const int64_t rows = 19, width = 65;
  const Values random = normal(rows * width, 43);
  std::vector<float> dy(random.begin(), random.end()), sum = dy, weight(width, 1), mean(rows, 0), rstd(rows, 1);
  for (const auto& implementation : kernels::layer_norm_backward.implementations()) {
    std::vector<float> dx(rows * width), dresidual(rows * width);
    Arrays arrays(implementation.device);
    if (!arrays.usable()) continue;
    const LayerNormBackward args{arrays(dy), arrays(sum),       arrays(weight), arrays(mean), arrays(rstd),
                                 arrays(dx), arrays(dresidual), nullptr,        nullptr,      rows,
                                 width,      kDropout,          DType::f32,     DType::f32};
    if (implementation.can_run(args, machine()) != nullptr) continue;
    arrays.run([&](Stream& stream) { implementation.run(args, stream); });
    for (size_t i = 0; i < dx.size(); ++i) {
      ASSERT_EQ(dx[i], dresidual[i] * kernels::dropout_factor(kDropout, i)) << implementation.name << " element " << i;
    }
  }
}

}  // namespace
}  // namespace suanli::testing
