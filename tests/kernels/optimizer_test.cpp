// Optimizer steps over lists of tensors, the norm of gradients and the factor that clips them.
#include "kernels/optimizer.h"

#include <memory>

#include "base/concat.h"
#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::AdamwStep;
using kernels::AdamwTensor;
using kernels::ArrayView;
using kernels::ClippingFactor;
using kernels::SgdStep;
using kernels::SgdTensor;
using kernels::StepScalars;
using kernels::SumsOfSquares;

/// A state that was -77 or normal before, with its bound: an output that is also an input.
Array state(std::string name, Values values, Bound bound) {
  Array array = Array::output(std::move(name), 0, std::move(bound));
  array.values = std::move(values);
  return array;
}

/// The scalars of step `step` with betas 0.9 and 0.999.
Array scalars_of(double learning_rate, double step, double unscale = 1) {
  return Array::input(
      "scalars",
      {unscale, learning_rate, learning_rate / (1 - std::pow(0.9, step)), std::sqrt(1 - std::pow(0.999, step)), step},
      Kind::full);
}

Bound exactly() {
  return [](size_t, const std::vector<Values>&, DType) { return 0.0; };
}

/// A list that lives as long as the arguments of a problem.
template <class Tensor>
using List = std::shared_ptr<std::vector<Tensor>>;

/// AdamW over tensors of these counts, a factor of 0.7: arrays 0 and 1 are scalars and factor, then four for each.
Problem<AdamwStep> adamw_problem(const std::vector<int64_t>& counts, double step, bool rounds, double factor = 0.7) {
  Problem<AdamwStep> problem;
  problem.label = concat("step ", step);
  problem.arrays = {scalars_of(0.01, step), Array::input("factor", {factor}, Kind::full)};
  for (size_t k = 0; k < counts.size(); ++k) {
    const int64_t count = counts[k];
    problem.label += concat(" count ", count);
    const auto site = static_cast<uint32_t>(80 + 10 * k);
    const Values w = normal(count, site), m = normal(count, site + 1, 0.1), g = normal(count, site + 3, 2);
    Values v = normal(count, site + 2, 0.1);
    for (double& value : v) value *= value;
    // Each new moment is a sum of two products; the step divides one by the root of the other: a few roundings of
    // each term, none cancels but in m, whose error is granted over the same root.
    const auto m_bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
      return function_error(sum_dtype(dtype), std::abs(m[i]) + std::abs(g[i]));
    };
    const auto v_bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
      return function_error(sum_dtype(dtype), v[i] + g[i] * g[i]);
    };
    const auto w_bound = [=](size_t i, const std::vector<Values>& after, DType dtype) {
      const double rate = 0.01 / (1 - std::pow(0.9, step));
      const double root = std::sqrt(after[2 + 4 * k + 2][i] / (1 - std::pow(0.999, step))) + 1e-8;
      const double update = rate * (std::abs(m[i]) + std::abs(g[i])) / root;
      const double error = function_error(sum_dtype(dtype), std::abs(w[i]) + 2 * update);
      // A stochastic rounding goes to either neighbour: twice as far as that to the nearest, which is granted anyway.
      return rounds ? error + rounding(dtype, std::abs(after[2 + 4 * k][i]) + error) : error;
    };
    problem.arrays.push_back(state("weight", w, w_bound));
    problem.arrays.push_back(state("first_moment", m, m_bound));
    problem.arrays.push_back(state("second_moment", v, v_bound));
    problem.arrays.push_back(Array::input("gradient", g));
    problem.arrays[problem.arrays.size() - 3].kind = problem.arrays[problem.arrays.size() - 2].kind = Kind::statistic;
  }
  const auto list = std::make_shared<std::vector<AdamwTensor>>();
  problem.args = [=](DType dtype, const Pointers& p) {
    list->clear();
    for (size_t k = 0; k < counts.size(); ++k) {
      const size_t first = 2 + 4 * k;
      const double decay = k % 2 == 0 ? 0.1 : 0;
      list->push_back(
          {p[first], p[first + 1], p[first + 2], p[first + 3], counts[k], decay, dtype, static_cast<uint32_t>(k)});
    }
    return AdamwStep{
        *list,           static_cast<const StepScalars*>(p[0]), static_cast<const double*>(p[1]), 0.9, 0.999, 1e-8, 5,
        sum_dtype(dtype)};
  };
  return problem;
}

TEST(AdamwStep, EveryCountAndStep) {
  for (const double step : {1.0, 2.0, 1000.0, 1e6}) {
    check(kernels::adamw_step, adamw_problem(kCounts, step, false), DType::f32);
    check(kernels::adamw_step, adamw_problem(kCounts, step, false), DType::f64);
    check(kernels::adamw_step, adamw_problem(kCounts, step, true), DType::bf16);
  }
}

// More tensors than one launch takes on a device, and enough elements for every thread of the CPU.
TEST(AdamwStep, ManyTensors) {
  std::vector<int64_t> counts(101, 3);
  counts[0] = counts[47] = 2049;
  counts[48] = 40'000;
  counts[100] = 0;
  check(kernels::adamw_step, adamw_problem(counts, 3, false), DType::f32);
  check(kernels::adamw_step, adamw_problem(counts, 3, true), DType::bf16);
}

TEST(AdamwStep, AFactorThatIsNotFiniteChangesNothing) {
  for (const double factor : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Problem<AdamwStep> problem = adamw_problem({33, 5}, 3, false, factor);
    for (Array& array : problem.arrays) {
      if (array.bound != nullptr) array.bound = exactly();
    }
    for (const DType dtype : {DType::f32, DType::bf16, DType::f64}) check(kernels::adamw_step, problem, dtype);
    const auto after = run_implementation(
        *kernels::adamw_step.find("ref"), problem,
        {problem.arrays[0].values, problem.arrays[1].values, problem.arrays[2].values, problem.arrays[3].values,
         problem.arrays[4].values, problem.arrays[5].values, problem.arrays[6].values, problem.arrays[7].values,
         problem.arrays[8].values, problem.arrays[9].values},
        DType::f64, 0);
    EXPECT_EQ(after[2].read(), problem.arrays[2].values);
    EXPECT_EQ(after[8].read(), problem.arrays[8].values);
  }
}

TEST(SgdStep, EveryCountAndMomentum) {
  for (const int64_t count : kCounts) {
    for (const double momentum : {0.0, 0.9}) {
      const Values w = normal(count, 84), b = normal(count, 85), g = normal(count, 86);
      const auto bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
        return function_error(dtype, std::abs(w[i]) + std::abs(g[i]) + std::abs(b[i]));
      };
      // The same tensor twice in the list, with and without decay.
      const auto list = std::make_shared<std::vector<SgdTensor>>();
      Problem<SgdStep> problem{concat("count ", count),
                               {scalars_of(0.1, 1), Array::input("factor", {0.7}, Kind::full)},
                               [=](DType dtype, const Pointers& p) {
                                 list->assign({{p[2], p[3], p[4], count, 0.05}, {p[5], p[6], p[7], count, 0}});
                                 return SgdStep{*list, static_cast<const StepScalars*>(p[0]),
                                                static_cast<const double*>(p[1]), momentum, dtype};
                               }};
      for (int i = 0; i < 2; ++i) {
        problem.arrays.push_back(state("weight", w, bound));
        problem.arrays.push_back(momentum == 0 ? Array::absent("buffer") : state("buffer", b, bound));
        problem.arrays.push_back(Array::input("gradient", g));
      }
      check(kernels::sgd_step, problem, DType::f32);
      check(kernels::sgd_step, problem, DType::f64);
      for (double& factor : problem.arrays[1].values) factor = std::numeric_limits<double>::quiet_NaN();
      for (Array& array : problem.arrays) {
        if (array.bound != nullptr) array.bound = exactly();
      }
      check(kernels::sgd_step, problem, DType::f32);
    }
  }
}

/// Sums of squares of arrays with these values, all of the dtype under test.
Problem<SumsOfSquares> squares_problem(const std::vector<Values>& arrays, const Bound& bound) {
  Problem<SumsOfSquares> problem;
  for (const Values& values : arrays) {
    problem.label += concat("count ", values.size(), " ");
    problem.arrays.push_back(Array::input("x", values));
  }
  problem.arrays.push_back(Array::output("sums", static_cast<int64_t>(arrays.size()), bound, Kind::full));
  const auto list = std::make_shared<std::vector<ArrayView>>();
  problem.args = [=](DType dtype, const Pointers& p) {
    list->clear();
    for (size_t k = 0; k < arrays.size(); ++k) {
      list->push_back({p[k], static_cast<int64_t>(arrays[k].size()), dtype});
    }
    return SumsOfSquares{*list, static_cast<double*>(p[arrays.size()])};
  };
  return problem;
}

TEST(SumsOfSquares, EveryCount) {
  std::vector<int64_t> counts = kCounts;
  counts.insert(counts.begin() + 3, 1'000'003);
  for (int i = 0; i < 40; ++i) counts.push_back(i % 5);  // more than one launch takes on a device
  std::vector<Values> arrays;
  for (const int64_t count : counts) arrays.push_back(normal(count, 87));
  // Summed in f64 whatever the dtype: squares of 24 bits are exact there, so only additions round.
  const auto bound = [=](size_t i, const std::vector<Values>& v, DType) {
    return sum_error(DType::f64, counts[i], v.back()[i]);
  };
  check_all(kernels::sums_of_squares, squares_problem(arrays, bound));
}

TEST(SumsOfSquares, NanAndInfinityShowWhereverTheyAre) {
  for (const double special : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const size_t place : {0, 15, 16, 99, 100}) {
      Values x = normal(101, 88);
      x[place] = special;
      const auto bound = [](size_t, const std::vector<Values>& v, DType) {
        return sum_error(DType::f64, 101, v.back()[0]);
      };
      check_all(kernels::sums_of_squares, squares_problem({normal(101, 88), x, normal(101, 88)}, bound));
    }
  }
}

// Squares that overflow f32: the norm is an f64 sum and stays finite.
TEST(SumsOfSquares, LargeGradientsDoNotOverflow) {
  const auto bound = [](size_t, const std::vector<Values>& v, DType) { return sum_error(DType::f64, 33, v[1][0]); };
  check(kernels::sums_of_squares, squares_problem({normal(33, 89, 1e30)}, bound), DType::f32);
}

TEST(ClippingFactor, IsThatOfPyTorchAndNanForWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  struct Case {
    Values squares, losses;
    double max_norm, unscale, norm, factor;
  };
  const Case cases[] = {{{9, 16}, {}, 10, 1, 5, 1},
                        {{9, 16}, {1, 2}, 1, 1, 5, 1 / (5 + 1e-6)},
                        {{9, 16}, {}, 0, 0.25, 1.25, 0.25},
                        {{9, 16}, {}, 1, 0.25, 1.25, 0.25 / (1.25 + 1e-6)},
                        {{}, {}, 1, 1, 0, 1},
                        {Values(1000, 4), {1}, 0, 1, std::sqrt(4000.0), 1},
                        {{9, infinity}, {}, 1, 1, infinity, nan},
                        {{nan, 1}, {}, 0, 1, nan, nan},
                        {{9, 16}, {1, infinity}, 1, 1, 5, nan},
                        {{9, 16}, {nan}, 1, 1, 5, nan}};
  for (const Case& c : cases) {
    const auto bound = [](size_t, const std::vector<Values>&, DType) { return 1e-15 * 100; };
    const Problem<ClippingFactor> problem{
        concat("max_norm ", c.max_norm, " of ", c.squares.size()),
        {Array::input("squares", c.squares, Kind::full), Array::input("losses", c.losses, Kind::single),
         scalars_of(0, 1, c.unscale), Array::output("norm", 1, bound, Kind::full),
         Array::output("factor", 1, bound, Kind::full)},
        [&](DType, const Pointers& p) {
          return ClippingFactor{static_cast<const double*>(p[0]),
                                static_cast<const float*>(p[1]),
                                static_cast<const StepScalars*>(p[2]),
                                static_cast<double*>(p[3]),
                                static_cast<double*>(p[4]),
                                static_cast<int64_t>(c.squares.size()),
                                static_cast<int64_t>(c.losses.size()),
                                c.max_norm};
        }};
    check(kernels::clipping_factor, problem, DType::f32);
    std::vector<Values> values;
    for (const Array& array : problem.arrays) values.push_back(array.values);
    const auto after = run_implementation(*kernels::clipping_factor.find("ref"), problem, values, DType::f64, 0);
    const double norm = after[3].read()[0], factor = after[4].read()[0];
    EXPECT_TRUE(norm == c.norm || (std::isnan(norm) && std::isnan(c.norm))) << norm;
    EXPECT_TRUE(factor == c.factor || (std::isnan(factor) && std::isnan(c.factor))) << factor;
  }
}

// Over all 65,536 random words a value goes up exactly as often as its distance from the lower neighbour says, so the
// expected value is the value itself and the variance f (1 - f) of the gap's square, f the distance in gaps.
TEST(StochasticRounding, HasTheRightExpectedValueAndVariance) {
  const auto value = [](uint16_t bits) { return static_cast<double>(std::bit_cast<float>(uint32_t{bits} << 16)); };
  for (const float x : {1.0F, 1.00001F, -1.0F / 3, 3.14159F, 65504.3F, -1e-38F, 1e-40F, 0.0F}) {
    const double low = value(static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16));
    const double gap = value(static_cast<uint16_t>((std::bit_cast<uint32_t>(x) >> 16) + 1)) - low;
    const double distance = (static_cast<double>(x) - low) / gap;
    double mean = 0, variance = 0;
    for (uint32_t random = 0; random < 65536; ++random) {
      const double rounded = value(kernels::round_stochastically(x, random));
      ASSERT_TRUE(rounded == low || rounded == low + gap) << x;
      mean += rounded / 65536;
      variance += (rounded - static_cast<double>(x)) * (rounded - static_cast<double>(x)) / 65536;
    }
    EXPECT_NEAR(mean, static_cast<double>(x), 1e-9 * std::abs(gap)) << x;
    EXPECT_NEAR(variance, distance * (1 - distance) * gap * gap, 1e-9 * gap * gap) << x;
  }
  for (const float x : {INFINITY, -INFINITY}) EXPECT_EQ(value(kernels::round_stochastically(x, 0xffff)), x);
  EXPECT_TRUE(std::isnan(value(kernels::round_stochastically(std::bit_cast<float>(0x7f800001), 0))));
}

// The random bits that a step draws are those of the contract: CPU and CUDA, whatever the threads, agree bit for bit
// where the exact new weights are the same. Moments of 0 and a decay that is exact in f32 leave no other rounding.
TEST(StochasticRounding, AStepDrawsTheBitsOfItsContract) {
  constexpr int64_t kCount = 100'003;
  for (const auto& implementation : kernels::adamw_step.implementations()) {
    if (device_count(implementation.device) == 0) continue;
    Arrays place(implementation.device);
    std::vector<double> scalars = {1, 0.5, 0.5, 1, 7}, factor = {1};
    std::vector<uint16_t> weight(kCount), gradient(kCount);
    std::vector<float> first(kCount), second(kCount);
    for (size_t i = 0; i < kCount; ++i) weight[i] = bfloat16(static_cast<float>(i % 251) - 125).bits;
    const std::vector<uint16_t> before = weight;
    const AdamwTensor tensor = {place(weight), place(first), place(second), place(gradient),
                                kCount,        0.0078125,    DType::bf16,   3};
    const AdamwStep args = {
        {&tensor, 1}, reinterpret_cast<const StepScalars*>(place(scalars)), place(factor), 0.9, 0.999, 1e-8, 11,
        DType::f32};
    if (implementation.can_run(args, machine()) != nullptr) continue;
    implementations_run().insert(run_name(kernels::adamw_step, implementation));
    place.run([&](Stream& stream) { implementation.run(args, stream); });
    size_t wrong = 0, stayed = 0, inexact = 0;
    for (size_t i = 0; i < kCount; ++i) {
      const float exact = std::bit_cast<float>(uint32_t{before[i]} << 16) * (1 - 0.00390625F);
      const uint32_t word = philox({.seed = 11, .step = 7, .site = 3}, i / 8)[i % 8 / 2];
      wrong += weight[i] != kernels::round_stochastically(exact, i % 2 == 0 ? word & 0xffff : word >> 16);
      stayed += weight[i] == before[i] && exact != 0;
      inexact += exact != 0;
    }
    EXPECT_EQ(wrong, 0U) << implementation.name;
    // The update is half a gap to a whole one, a quarter of all are lost; rounded to nearest none would be.
    EXPECT_GT(stayed, inexact / 5);
    EXPECT_LT(stayed, inexact / 3);
  }
}

}  // namespace
}  // namespace suanli::testing
