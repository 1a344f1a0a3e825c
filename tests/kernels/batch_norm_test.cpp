// Batch normalisation: statistics, the map, its sums and its gradient, over every number of rows and columns.
#include "kernels/batch_norm.h"

#include <cmath>

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using namespace kernels;

constexpr double kEps = 1e-3;

struct Size {
  int64_t rows, width;
  std::string text() const { return std::to_string(rows) + "x" + std::to_string(width); }
};
const std::vector<Size> kSizes = {{2, 1}, {33, 17}, {4100, 5}, {300, 64}};

/// The numbers drawn here: normal ones stay below 6, those around 3 below 9, positive() below 3, xhat below (9 + 6) 3.
constexpr double kMost = 6, kMostData = 9, kMostNormalised = 45;

Values positive(int64_t count, uint32_t site) {
  Values out = normal(count, site, 0.2);
  for (double& value : out) value = 1 + std::abs(value);
  return out;
}
/// Normal numbers around 3: a mean that must be taken off.
Values data(const Size& s) {
  Values x = normal(s.rows * s.width, 21);
  for (double& value : x) value += 3;
  return x;
}

// x lies within some eight standard deviations of 0, so that x - mean loses three bits; squares and their sum follow
// the bound of sums, and a root halves it.
TEST(BatchNormStatistics, EverySize) {
  for (const Size& s : kSizes) {
    for (const bool running : {true, false}) {
      const auto bound = [=](size_t, const std::vector<Values>&, DType dtype) {
        const auto rows = static_cast<double>(s.rows);
        const double size = kMostData;
        return 8 * size * size * sum_error(sum_dtype(dtype), s.rows, rows) / rows;
      };
      std::vector<Array> arrays = {Array::input("x", data(s)), Array::output("mean", s.width, bound, Kind::statistic),
                                   Array::output("rstd", s.width, bound, Kind::statistic),
                                   Array::input("old mean", normal(s.width, 22), Kind::statistic),
                                   Array::input("old var", positive(s.width, 23), Kind::statistic)};
      arrays.push_back(Array::output("running mean", s.width, bound, Kind::statistic).over(3));
      arrays.push_back(Array::output("running var", s.width, bound, Kind::statistic).over(4));
      if (!running) {
        arrays.resize(5);
        arrays[3] = Array::absent("running mean");
      }
      check_all(batch_norm_statistics,
                Problem<BatchNormStatistics>{
                    s.text(), arrays, [=](DType dtype, const Pointers& p) {
                      return BatchNormStatistics{
                          p[0], p[1], p[2], running ? p[3] : nullptr, running ? p[4] : nullptr, s.rows, s.width,
                          kEps, 0.1,  dtype};
                    }});
    }
  }
}

TEST(BatchNormRstd, EverySize) {
  const auto bound = [](size_t i, const std::vector<Values>& v, DType dtype) {
    return function_error(sum_dtype(dtype), v[1][i]);
  };
  for (const int64_t width : {1, 9, 300}) {
    check_all(batch_norm_rstd,
              Problem<BatchNormRstd>{std::to_string(width),
                                     {Array::input("var", positive(width, 24)), Array::output("rstd", width, bound)},
                                     [=](DType dtype, const Pointers& p) {
                                       return BatchNormRstd{p[0], p[1], width, kEps, dtype};
                                     }});
  }
}

TEST(BatchNormForward, EverySizeWithAndWithoutRelu) {
  for (const Size& s : kSizes) {
    for (const bool relu : {false, true}) {
      const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        const size_t c = i % static_cast<size_t>(s.width);
        const double terms = (std::abs(v[0][i]) + std::abs(v[1][c])) * std::abs(v[2][c] * v[3][c]);
        return 4 * unit_roundoff(sum_dtype(dtype)) * (terms + std::abs(v[4][c]));
      };
      check_all(
          batch_norm_forward,
          Problem<BatchNormForward>{
              s.text(),
              {Array::input("x", data(s)), Array::input("mean", normal(s.width, 25), Kind::statistic),
               Array::input("rstd", positive(s.width, 26), Kind::statistic),
               Array::input("weight", normal(s.width, 27), Kind::statistic),
               Array::input("bias", normal(s.width, 28), Kind::statistic), Array::output("y", s.rows * s.width, bound)},
              [=](DType dtype, const Pointers& p) {
                return BatchNormForward{p[0], p[1], p[2], p[3], p[4], p[5], s.rows, s.width, relu, dtype};
              }});
    }
  }
}

/// dy, x, y (or none), mean, rstd.
std::vector<Array> gradient_inputs(const Size& s, bool relu) {
  return {Array::input("dy", normal(s.rows * s.width, 29)), Array::input("x", data(s)),
          relu ? Array::input("y", normal(s.rows * s.width, 30)) : Array::absent("y"),
          Array::input("mean", normal(s.width, 31), Kind::statistic),
          Array::input("rstd", positive(s.width, 32), Kind::statistic)};
}
TEST(BatchNormSums, EverySizeWithAndWithoutRelu) {
  for (const Size& s : kSizes) {
    for (const bool relu : {false, true}) {
      const auto bound = [=](size_t, const std::vector<Values>&, DType dtype) {
        return 2 * sum_error(sum_dtype(dtype), s.rows, static_cast<double>(s.rows) * kMost * (1 + kMostNormalised));
      };
      std::vector<Array> arrays = gradient_inputs(s, relu);
      arrays.push_back(Array::output("dweight", s.width, bound, Kind::statistic));
      arrays.push_back(Array::output("dbias", s.width, bound, Kind::statistic));
      check_all(batch_norm_sums, Problem<BatchNormSums>{s.text(), arrays, [=](DType dtype, const Pointers& p) {
                                                          return BatchNormSums{p[0], p[1], p[2],   p[3],    p[4],
                                                                               p[5], p[6], s.rows, s.width, dtype};
                                                        }});
    }
  }
}

TEST(BatchNormBackward, EverySizeFixedOrNot) {
  for (const Size& s : kSizes) {
    for (const bool relu : {false, true}) {
      for (const bool fixed : {false, true}) {
        const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
          const size_t c = i % static_cast<size_t>(s.width);
          const double mean_of_sums =
              (std::abs(v[7][c]) + kMostNormalised * std::abs(v[6][c])) / static_cast<double>(s.rows);
          return 16 * unit_roundoff(sum_dtype(dtype)) * (std::abs(v[0][i]) + mean_of_sums) *
                 std::abs(v[4][c] * v[5][c]);
        };
        std::vector<Array> arrays = gradient_inputs(s, relu);
        arrays.push_back(Array::input("weight", normal(s.width, 33), Kind::statistic));
        arrays.push_back(Array::input("dweight", normal(s.width, 34, 9), Kind::statistic));
        arrays.push_back(Array::input("dbias", normal(s.width, 35, 9), Kind::statistic));
        arrays.push_back(Array::output("dx", s.rows * s.width, bound));
        check_all(batch_norm_backward,
                  Problem<BatchNormBackward>{s.text(), arrays, [=](DType dtype, const Pointers& p) {
                                               return BatchNormBackward{p[0], p[1], p[2],   p[3],    p[4],  p[5], p[6],
                                                                        p[7], p[8], s.rows, s.width, fixed, dtype};
                                             }});
      }
    }
  }
}

}  // namespace
}  // namespace suanli::testing
