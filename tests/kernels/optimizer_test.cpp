// Optimizer steps and the norm of gradients.
#include "kernels/optimizer.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::AdamwStep;
using kernels::SgdStep;
using kernels::SumOfSquares;

/// A state that was -77 or normal before, with its bound: an output that is also an input.
Array state(std::string name, Values values, Bound bound) {
  Array array = Array::output(std::move(name), 0, std::move(bound));
  array.values = std::move(values);
  return array;
}

TEST(AdamwStep, EveryCountAndStep) {
  for (const int64_t count : kCounts) {
    for (const int64_t step : {1, 2, 1000, 1'000'000}) {
      const Values w = normal(count, 80), m = normal(count, 81, 0.1), g = normal(count, 83, 2);
      Values v = normal(count, 82, 0.1);
      for (double& value : v) value *= value;
      // Each new moment is a sum of two products; the step divides one by the root of the other: a few roundings of
      // each term, none cancels but in m, whose error is granted over the same root.
      const auto m_error = [=](size_t i, DType dtype) {
        return function_error(dtype, std::abs(m[i]) + std::abs(g[i]));
      };
      const auto m_bound = [=](size_t i, const std::vector<Values>&, DType dtype) { return m_error(i, dtype); };
      const auto v_bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
        return function_error(dtype, v[i] + g[i] * g[i]);
      };
      const auto w_bound = [=](size_t i, const std::vector<Values>& after, DType dtype) {
        const double rate = 0.01 / (1 - std::pow(0.9, static_cast<double>(step)));
        const double root = std::sqrt(after[2][i] / (1 - std::pow(0.999, static_cast<double>(step)))) + 1e-8;
        const double update = rate * (std::abs(m[i]) + std::abs(g[i])) / root;
        return function_error(dtype, std::abs(w[i]) + 2 * update);
      };
      const Problem<AdamwStep> problem{"count " + std::to_string(count) + " step " + std::to_string(step),
                                       {state("weight", w, w_bound), state("first_moment", m, m_bound),
                                        state("second_moment", v, v_bound), Array::input("gradient", g)},
                                       [=](DType dtype, const Pointers& p) {
                                         return AdamwStep{p[0], p[1],  p[2], p[3], count, step, 0.01,
                                                          0.9,  0.999, 1e-8, 0.1,  0.7,   dtype};
                                       }};
      check(kernels::adamw_step, problem, DType::f32);
      check(kernels::adamw_step, problem, DType::f64);
    }
  }
}

TEST(SgdStep, EveryCountAndMomentum) {
  for (const int64_t count : kCounts) {
    for (const double momentum : {0.0, 0.9}) {
      for (const bool first : {false, true}) {
        const Values w = normal(count, 84), b = normal(count, 85), g = normal(count, 86);
        const auto bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
          return function_error(dtype, std::abs(w[i]) + std::abs(g[i]) + std::abs(b[i]));
        };
        const Problem<SgdStep> problem{
            "count " + std::to_string(count) + (first ? " first" : ""),
            {state("weight", w, bound), momentum == 0 ? Array::absent("buffer") : state("buffer", b, bound),
             Array::input("gradient", g)},
            [=](DType dtype, const Pointers& p) {
              return SgdStep{p[0], p[1], p[2], count, first, 0.1, momentum, 0.05, 0.7, dtype};
            }};
        check(kernels::sgd_step, problem, DType::f32);
        check(kernels::sgd_step, problem, DType::f64);
      }
    }
  }
}

TEST(SumOfSquares, EveryCount) {
  std::vector<int64_t> counts = kCounts;
  counts.push_back(1'000'003);
  for (const int64_t count : counts) {
    // Summed in f64 whatever the dtype: squares of 24 bits are exact there, so only additions round.
    const auto bound = [=](size_t, const std::vector<Values>& v, DType) {
      return sum_error(DType::f64, count, v[1][0]);
    };
    check_all(
        kernels::sum_of_squares,
        Problem<SumOfSquares>{"count " + std::to_string(count),
                              {Array::input("x", normal(count, 87)), Array::output("result", 1, bound, Kind::full)},
                              [=](DType dtype, const Pointers& p) {
                                return SumOfSquares{p[0], static_cast<double*>(p[1]), count, dtype};
                              }});
  }
}

TEST(SumOfSquares, NanAndInfinityShowWhereverTheyAre) {
  for (const double special : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const size_t place : {0, 15, 16, 99, 100}) {
      Values x = normal(101, 88);
      x[place] = special;
      const auto bound = [](size_t, const std::vector<Values>&, DType) { return 0.0; };
      check_all(kernels::sum_of_squares,
                Problem<SumOfSquares>{"special",
                                      {Array::input("x", x), Array::output("result", 1, bound, Kind::full)},
                                      [=](DType dtype, const Pointers& p) {
                                        return SumOfSquares{p[0], static_cast<double*>(p[1]), 101, dtype};
                                      }});
    }
  }
}

// Squares that overflow f32: the norm is an f64 sum and stays finite.
TEST(SumOfSquares, LargeGradientsDoNotOverflow) {
  const auto bound = [](size_t, const std::vector<Values>& v, DType) { return sum_error(DType::f64, 33, v[1][0]); };
  check(kernels::sum_of_squares,
        Problem<SumOfSquares>{"1e30",
                              {Array::input("x", normal(33, 89, 1e30)), Array::output("result", 1, bound, Kind::full)},
                              [=](DType dtype, const Pointers& p) {
                                return SumOfSquares{p[0], static_cast<double*>(p[1]), 33, dtype};
                              }},
        DType::f32);
}

}  // namespace
}  // namespace suanli::testing
