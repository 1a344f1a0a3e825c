// Activations, dropout, sums, products, scales, casts and row products over every count around a vector.
#include "kernels/elementwise.h"

#include "kernels/activation.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::Activation;
using kernels::ActivationBackward;
using kernels::ActivationForward;
using kernels::Binary;
using kernels::BinaryForward;
using kernels::Cast;
using kernels::Dropout;
using kernels::DropoutKey;
using kernels::RowDot;
using kernels::RowScale;
using kernels::Scale;

constexpr Activation kActivations[] = {Activation::gelu, Activation::gelu_tanh, Activation::relu,
                                       Activation::tanh, Activation::sigmoid,   Activation::relu6};
const double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

/// Gelu is x/2 (1 + e(x)) with e in [-1, 1]: an error of e of a few roundings is one of |x|/2 times them in y.
double forward_error(Activation kind, double x, DType dtype) {
  switch (kind) {
    case Activation::relu:
    case Activation::relu6:
      return 0;
    case Activation::sigmoid:
      return function_error(sum_dtype(dtype), 1);
    case Activation::tanh:
      return function_error(sum_dtype(dtype), std::min(std::abs(x), 1.0));
    default:
      return function_error(sum_dtype(dtype), x);
  }
}

/// The derivative is a sum of terms of size 1, |x| and, for gelu_tanh, |x| times the slope of the inner polynomial.
double backward_error(Activation kind, double x, double dy, DType dtype) {
  const double slope = kind == Activation::gelu_tanh ? 0.8 * (1 + 0.1342 * x * x) : 1;
  const double terms = kind == Activation::relu || kind == Activation::relu6 ? 0 : 2 * (1 + std::abs(x) * slope);
  return function_error(sum_dtype(dtype), dy * terms);
}

Problem<ActivationForward> forward_problem(Activation kind, Values x, bool in_place) {
  const auto count = static_cast<int64_t>(x.size());
  auto y = Array::output("y", count, [kind](size_t i, const std::vector<Values>& v, DType dtype) {
    return forward_error(kind, v[0][i], dtype);
  });
  return {"kind " + std::to_string(static_cast<int>(kind)) + " count " + std::to_string(count) +
              (in_place ? " in place" : ""),
          {Array::input("x", std::move(x)), in_place ? std::move(y).over(0) : std::move(y)},
          [=](DType dtype, const Pointers& p) {
            return ActivationForward{p[0], p[1], count, kind, dtype};
          }};
}

Problem<ActivationBackward> backward_problem(Activation kind, Values dy, Values x, bool in_place) {
  const auto count = static_cast<int64_t>(x.size());
  auto dx = Array::output("dx", count, [kind, dy](size_t i, const std::vector<Values>& v, DType dtype) {
    return backward_error(kind, v[1][i], dy[i], dtype);
  });
  return {"kind " + std::to_string(static_cast<int>(kind)) + " count " + std::to_string(count) +
              (in_place ? " in place" : ""),
          {Array::input("dy", dy), Array::input("x", std::move(x)), in_place ? std::move(dx).over(0) : std::move(dx)},
          [=](DType dtype, const Pointers& p) { return ActivationBackward{p[0], p[1], p[2], count, kind, dtype}; }};
}

TEST(Activation, EveryCount) {
  for (const Activation kind : kActivations) {
    for (const int64_t count : kCounts) {
      for (const bool in_place : {false, true}) {
        check_all(kernels::activation_forward, forward_problem(kind, normal(count, 10, 3), in_place));
        check_all(kernels::activation_backward,
                  backward_problem(kind, normal(count, 11), normal(count, 12, 3), in_place));
      }
    }
  }
}

// A sweep of the range in which the functions bend, and magnitudes from the subnormals up to where they saturate.
TEST(Activation, WholeRange) {
  Values x;
  for (int i = -12000; i <= 12000; ++i) x.push_back(i / 1000.0);
  for (int e = -40; e <= 20; ++e) {
    for (const double sign : {-1.0, 1.0}) x.push_back(std::ldexp(sign, e));
  }
  x.insert(x.end(), {0.0, -0.0, 100.0, -100.0, 1e4, -1e4});
  for (const Activation kind : kActivations) {
    check_all(kernels::activation_forward, forward_problem(kind, x, false));
    check_all(kernels::activation_backward, backward_problem(kind, Values(x.size(), 1.5), x, false));
  }
}

TEST(Activation, NanSpreadsAndInfinitySaturates) {
  Values x = normal(67, 13);
  x[3] = x[64] = x[66] = kNan;
  for (const Activation kind : kActivations) {
    check_all(kernels::activation_forward, forward_problem(kind, x, false));
    check_all(kernels::activation_backward, backward_problem(kind, normal(67, 14), x, false));
    check_all(kernels::activation_backward, backward_problem(kind, x, normal(67, 14), false));
  }
  x[5] = kInfinity;
  check_all(kernels::activation_forward, forward_problem(Activation::gelu, x, false));
  check_all(kernels::activation_forward, forward_problem(Activation::gelu_tanh, x, false));
  x[7] = -kInfinity;
  for (const Activation kind : {Activation::relu, Activation::relu6, Activation::tanh, Activation::sigmoid}) {
    check_all(kernels::activation_forward, forward_problem(kind, x, false));
  }
}

Problem<Dropout> dropout_problem(int64_t count, const DropoutKey& key, bool in_place) {
  auto y = Array::output("y", count, [](size_t i, const std::vector<Values>& v, DType dtype) {
    return 2 * rounding(sum_dtype(dtype), v[1][i]);
  });
  return {"count " + std::to_string(count),
          {Array::input("x", normal(count, 15)), in_place ? std::move(y).over(0) : std::move(y)},
          [=](DType dtype, const Pointers& p) {
            return Dropout{p[0], p[1], count, key, dtype};
          }};
}

TEST(Dropout, EveryCountAndProbability) {
  for (const int64_t count : kCounts) {
    for (const float probability : {0.0F, 0.1F, 0.5F, 0.999F}) {
      const DropoutKey key = {probability, {.seed = 0x123456789abcdefULL, .step = 3, .site = 9}};
      check_all(kernels::dropout, dropout_problem(count, key, false));
      check_all(kernels::dropout, dropout_problem(count, key, true));
    }
  }
}

// The mask is a function of (key, index) alone: every implementation drops and scales exactly what dropout_factor says.
TEST(Dropout, MaskIsTheCountedOneBitByBit) {
  const int64_t count = 100'003;
  for (const auto& implementation : kernels::dropout.implementations()) {
    for (const uint32_t step : {0U, 1U, 4'000'000'000U}) {
      const DropoutKey key = {0.3F, {.seed = 42, .step = step, .site = 17}};
      std::vector<float> x(count, 1.0F), y(count);
      Arrays arrays(implementation.device);
      if (!arrays.usable()) continue;
      const Dropout args{arrays(x), arrays(y), count, key, DType::f32};
      if (implementation.can_run(args, machine()) != nullptr) continue;
      arrays.run([&](Stream& stream) { implementation.run(args, stream); });
      int64_t wrong = 0, kept = 0;
      for (int64_t i = 0; i < count; ++i) {
        const float factor = kernels::dropout_factor(key, static_cast<uint64_t>(i));
        wrong += y[static_cast<size_t>(i)] != factor;
        kept += factor != 0;
      }
      EXPECT_EQ(wrong, 0) << implementation.name;
      // 70 % of 100,003 are kept; five standard deviations are 5 sqrt(0.3 0.7 100003) = 725.
      EXPECT_NEAR(static_cast<double>(kept), 70002.0, 725.0);
    }
  }
}

TEST(Binary, EveryCountAlsoInPlace) {
  for (const int64_t count : kCounts) {
    for (const Binary kind : {Binary::add, Binary::multiply}) {
      for (const int alias : {-1, 0, 1}) {
        auto y = Array::output("y", count, [](size_t, const std::vector<Values>&, DType) { return 0.0; });
        Values a = normal(count, 16), b = normal(count, 17);
        if (count > 8) a[8] = kNan, b[5] = kInfinity;
        check_all(kernels::binary,
                  Problem<BinaryForward>{"count " + std::to_string(count),
                                         {Array::input("a", a), Array::input("b", b), std::move(y).over(alias)},
                                         [=](DType dtype, const Pointers& p) {
                                           return BinaryForward{p[0], p[1], p[2], count, kind, dtype};
                                         }});
      }
    }
  }
}

TEST(Scale, ByNumberAndByFactorOnTheDevice) {
  for (const int64_t count : kCounts) {
    for (const bool factor : {false, true}) {
      for (const int alias : {-1, 0}) {
        auto y = Array::output("y", count, [](size_t i, const std::vector<Values>& v, DType dtype) {
          return 3 * rounding(sum_dtype(dtype), v[2][i]);
        });
        Values x = normal(count, 18);
        if (count > 8) x[8] = kNan;
        check_all(kernels::scale,
                  Problem<Scale>{
                      "count " + std::to_string(count),
                      {Array::input("x", x),
                       factor ? Array::input("factor", {0.37}, Kind::statistic) : Array::absent("factor"),
                       std::move(y).over(alias)},
                      [=](DType dtype, const Pointers& p) { return Scale{p[0], p[1], p[2], count, -1.7, dtype}; }});
      }
    }
  }
}

// Casts are exact: one rounding to nearest even, from every dtype to every other, as counted here by hand.
TEST(Cast, RoundsOnceToNearestEven) {
  Values x = normal(1537, 19, 100);
  x.insert(x.end(), {0.0, -0.0, kInfinity, -kInfinity, kNan, 65504.0, 65519.9, 65520.0, 1e-8, -6e-8, 3.4e38, 1e300});
  for (int i = 0; i < 64; ++i) x.push_back(1.0 + i / 2048.0);                 // ties of bf16 and f16
  for (int i = 0; i < 8; ++i) x.push_back(1.0 + 0x1p-8 + (i - 4) * 0x1p-40);  // ties after a first rounding to f32
  constexpr DType kFloats[] = {DType::f32, DType::bf16, DType::f16, DType::f64};
  for (const DType from : kFloats) {
    for (const DType to : kFloats) {
      for (const auto& implementation : kernels::cast.implementations()) {
        for (size_t count : {size_t{0}, size_t{1}, size_t{17}, x.size()}) {
          GuardedBuffer source(from, Values(x.end() - static_cast<std::ptrdiff_t>(count), x.end()), 1);
          GuardedBuffer got(to, Values(count, -77), 1);
          Arrays arrays(implementation.device);
          if (!arrays.usable()) continue;
          const Cast args{arrays(source.bytes()) + source.begin(), arrays(got.bytes()) + got.begin(),
                          static_cast<int64_t>(count), from, to};
          if (implementation.can_run(args, machine()) != nullptr) continue;
          implementations_run().insert(std::string("cast/") + implementation.name);
          arrays.run([&](Stream& stream) { implementation.run(args, stream); });
          EXPECT_TRUE(got.guards_intact());
          const Values exact = source.read(), result = got.read();
          const int digits = to == DType::f64 ? 53 : to == DType::f32 ? 24 : to == DType::bf16 ? 8 : 11;
          const int least = to == DType::f64 ? -1022 : to == DType::f16 ? -14 : -126;
          const double limit = to == DType::f16 ? 65520 : 0x1p128;
          for (size_t i = 0; i < count; ++i) {
            const double value = exact[i];
            if (std::isnan(value)) {
              EXPECT_TRUE(std::isnan(result[i]));
              continue;
            }
            double rounded = value;
            if (to != DType::f64 && value != 0 && !std::isinf(value)) {
              const double unit = std::ldexp(1.0, std::max(std::ilogb(value), least) - digits + 1);
              rounded = std::nearbyint(value / unit) * unit;  // ties to even by the default rounding mode
              if (std::abs(rounded) >= limit) rounded = std::copysign(kInfinity, value);
            }
            EXPECT_EQ(result[i], rounded)
                << implementation.name << " " << name_of(from) << " to " << name_of(to) << " of " << value;
          }
        }
      }
    }
  }
}

TEST(RowDot, EveryShape) {
  for (const int64_t width : kCounts) {
    for (const int64_t rows : {0, 1, 5, 33}) {
      for (const bool second : {false, true}) {
        const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
          const auto start = static_cast<int64_t>(i) * width;
          const double other = second ? norm(v[1].data() + start, width) : std::sqrt(static_cast<double>(width));
          return sum_error(sum_dtype(dtype), width, norm(v[0].data() + start, width) * other);
        };
        check_all(kernels::row_dot,
                  Problem<RowDot>{
                      std::to_string(rows) + "x" + std::to_string(width),
                      {Array::input("x", normal(rows * width, 20)),
                       second ? Array::input("z", normal(rows * width, 21)) : Array::absent("z"),
                       Array::output("y", rows, bound)},
                      [=](DType dtype, const Pointers& p) { return RowDot{p[0], p[1], p[2], rows, width, dtype}; }});
      }
    }
  }
}

TEST(RowScale, EveryShape) {
  for (const int64_t width : kCounts) {
    for (const int64_t rows : {0, 1, 5, 33}) {
      const auto bound = [](size_t, const std::vector<Values>&, DType) { return 0.0; };
      check_all(kernels::row_scale,
                Problem<RowScale>{
                    std::to_string(rows) + "x" + std::to_string(width),
                    {Array::input("x", normal(rows * width, 22)), Array::input("factor", normal(rows, 23)),
                     Array::output("y", rows * width, bound)},
                    [=](DType dtype, const Pointers& p) { return RowScale{p[0], p[1], p[2], rows, width, dtype}; }});
    }
  }
}

}  // namespace
}  // namespace suanli::testing
