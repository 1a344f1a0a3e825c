/// int8 kernels: what quantisation keeps of a row, the layout of weights, and products that are the same bits on every
/// instruction set.
#include <cmath>
#include <limits>

#include "kernels/harness.h"
#include "kernels/quantized_matmul.h"

namespace suanli::testing {
namespace {

using kernels::Activation;
using kernels::QuantizedLayout;
using kernels::QuantizedMatmul;
using kernels::QuantizeRows;

const auto kExact = [](size_t, const std::vector<Values>&, DType) { return 0.0; };

Problem<QuantizeRows> rows_problem(const std::string& label, int64_t rows, int64_t width, const Values& x) {
  return {label,
          {Array::input("x", x), Array::output("values", rows * width, kExact, Kind::byte),
           Array::output("scale", rows, kExact, Kind::single)},
          [=](DType dtype, const Pointers& p) {
            return QuantizeRows{p[0], static_cast<int8_t*>(p[1]), static_cast<float*>(p[2]), rows, width, dtype};
          }};
}

TEST(QuantizeRows, EveryShapeAndDtypeGivesTheSameIntegers) {
  for (const int64_t width : kCounts) {
    for (const int64_t rows : {0, 1, 3, 70}) {
      check_all(kernels::quantize_rows, rows_problem(std::to_string(rows) + "x" + std::to_string(width), rows, width,
                                                     normal(rows * width, 11, 3)));
    }
  }
}

// What the integers of `x` are, and their scale, by each implementation that can run.
void expect_row(std::vector<float> x, const std::vector<int>& values, float scale) {
  for (const auto& implementation : kernels::quantize_rows.implementations()) {
    std::vector<int8_t> got(x.size(), int8_t{55});
    float got_scale = -1;
    Arrays arrays(implementation.device);
    if (!arrays.usable()) continue;
    const QuantizeRows args = {arrays(x), arrays(got), arrays(got_scale), 1, static_cast<int64_t>(x.size()),
                               DType::f32};
    if (implementation.can_run(args, machine()) != nullptr) continue;
    arrays.run([&](Stream& stream) { implementation.run(args, stream); });
    EXPECT_EQ(std::vector<int>(got.begin(), got.end()), values) << implementation.name;
    EXPECT_TRUE(got_scale == scale || (std::isnan(scale) && std::isnan(got_scale)))
        << implementation.name << ": " << got_scale << " is not " << scale;
  }
}

TEST(QuantizeRows, TiesGoToEvenAndTheLargestTo127) {
  expect_row({-127, 0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 127}, {-127, 0, 2, 2, 0, -2, 126, 127}, 1);
}

TEST(QuantizeRows, RowsWithoutASizeAreZerosAndRowsThatAreNotFinitePoisonTheirProducts) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  expect_row({0, -0.0F, 0}, {0, 0, 0}, 0);
  expect_row({1e-38F, -1e-44F, 0}, {0, 0, 0}, 0);
  expect_row({0x1p-100F, -0x1p-101F, 0}, {127, -64, 0}, 0x1p-100F / 127);
  expect_row({std::numeric_limits<float>::max(), 1, 0}, {127, 0, 0}, std::numeric_limits<float>::max() / 127);
  for (const float bad : {nan, -nan, infinity, -infinity}) expect_row({1, bad, 3}, {0, 0, 0}, nan);
}

TEST(QuantizeRows, WhatComesBackIsWithinHalfAStep) {
  constexpr int64_t kWidth = 1000;
  const Values x = normal(kWidth, 12);
  std::vector<float> row(x.begin(), x.end());
  std::vector<int8_t> values(row.size());
  float scale = 0;
  kernels::quantize_rows({row.data(), values.data(), &scale, 1, kWidth, DType::f32}, backend({}).default_stream());
  for (size_t i = 0; i < row.size(); ++i) {
    // The quotient, the step and their product are each rounded, by 2^-24 of at most 127 steps.
    ASSERT_LE(std::abs(values[i] * scale - row[i]), scale * (0.5F + 4 * 127 * 0x1p-24F)) << i;
  }
}

std::vector<int8_t> integers(int64_t count, uint32_t site) {
  RandomGenerator random({.seed = 7, .step = 0, .site = site});
  std::vector<int8_t> out(static_cast<size_t>(count));
  for (int8_t& value : out) value = static_cast<int8_t>(static_cast<int>(random.below(256)) - 128);
  return out;
}

std::vector<int8_t> packed(const std::vector<int8_t>& b, int64_t n, int64_t k) {
  std::vector<int8_t> out(static_cast<size_t>(QuantizedLayout{n, k}.bytes()), int8_t{99});
  const auto* implementation = kernels::pack_quantized.find("ref");
  implementation->run({b.data(), out.data(), n, k}, backend({}).default_stream());
  implementations_run().insert("pack_quantized/ref");
  return out;
}

TEST(PackQuantized, EveryElementHasItsPlaceTheRestIsZeroAndSumsStandBehind) {
  for (const auto& [n, k] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 5}, {1, 1}, {3, 0}, {16, 64}, {17, 63}, {32, 65}, {33, 128}, {100, 7}}) {
    const QuantizedLayout layout{n, k};
    const auto b = integers(n * k, 13);
    auto got = packed(b, n, k);
    for (int64_t row = 0; row < n; ++row) {
      int32_t sum = 0, stored = 0;
      for (int64_t depth = 0; depth < k; ++depth) {
        const int8_t value = b[static_cast<size_t>(row * k + depth)];
        ASSERT_EQ(got[static_cast<size_t>(layout.place(row, depth))], value) << row << " " << depth;
        got[static_cast<size_t>(layout.place(row, depth))] = 0;
        sum += value;
      }
      int8_t* sums = got.data() + row / 32 * layout.square_bytes() + layout.steps() * QuantizedLayout::kStep;
      std::memcpy(&stored, sums + row % 32 * 4, 4);
      std::memset(sums + row % 32 * 4, 0, 4);
      ASSERT_EQ(stored, sum) << n << "x" << k << " row " << row;
    }
    EXPECT_EQ(got, std::vector<int8_t>(got.size(), 0)) << n << "x" << k;
  }
}

// Each implementation that can run gives the same bytes as ref, whose layout the test above writes out.
TEST(PackQuantized, EveryImplementationGivesTheSameBytes) {
  for (const auto& implementation : kernels::pack_quantized.implementations()) {
    if (device_count(implementation.device) == 0) continue;
    implementations_run().insert(run_name(kernels::pack_quantized, implementation));
    for (const auto& [n, k] : std::vector<std::pair<int64_t, int64_t>>{
             {0, 5}, {1, 1}, {3, 0}, {16, 64}, {17, 63}, {32, 65}, {33, 128}, {100, 7}, {384, 1536}}) {
      auto b = integers(n * k, 13);
      std::vector<int8_t> got(static_cast<size_t>(QuantizedLayout{n, k}.bytes()), int8_t{99});
      Arrays arrays(implementation.device);
      const kernels::PackQuantized args = {arrays(b), arrays(got), n, k};
      arrays.run([&](Stream& stream) { implementation.run(args, stream); });
      EXPECT_TRUE(got == packed(b, n, k)) << implementation.name << " " << n << "x" << k;
    }
  }
}

struct Shape {
  int64_t m, n, k;
};

struct Options {
  bool bias = true, wide_bias = true;
  std::optional<Activation> activation = {};
};

Values as_values(const std::vector<int8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

Problem<QuantizedMatmul> product_problem(const Shape& s, const Options& o) {
  const Kind bias_kind = o.wide_bias ? Kind::single : Kind::data;
  const auto a = integers(s.m * s.k, 14), b = integers(s.n * s.k, 15);
  Values a_scale = normal(s.m, 16, 0.02), b_scale = normal(s.n, 17, 0.02), bias = normal(s.n, 18);
  for (double& scale : a_scale) scale = std::abs(scale);
  for (double& scale : b_scale) scale = std::abs(scale);
  // The product of sum and scale, the multiply-add and the sum itself (beyond 2^24) are each rounded once, the scales
  // being what they are. An activation passes on at most 1.13 of that and has the error of a function, which is an
  // argument's as well: of the bell's exponent, half the square of x.
  Values before;
  for (int64_t m = 0; m < s.m; ++m) {
    for (int64_t n = 0; n < s.n; ++n) {
      int32_t sum = 0;
      for (int64_t k = 0; k < s.k; ++k) {
        sum += a[static_cast<size_t>(m * s.k + k)] * b[static_cast<size_t>(n * s.k + k)];
      }
      before.push_back(std::abs(sum * a_scale[static_cast<size_t>(m)] * b_scale[static_cast<size_t>(n)]) +
                       (o.bias ? std::abs(bias[static_cast<size_t>(n)]) : 0));
    }
  }
  const auto bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
    const double linear = 4 * unit_roundoff(sum_dtype(dtype)) * before[i];
    return o.activation ? 1.13 * linear + function_error(sum_dtype(dtype), std::min(before[i], 8.0)) : linear;
  };
  Problem<QuantizedMatmul> problem;
  problem.label = std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
  problem.arrays = {Array::input("a", as_values(a), Kind::byte),
                    Array::input("a_scale", a_scale, Kind::single),
                    Array::input("b", as_values(packed(b, s.n, s.k)), Kind::byte),
                    Array::input("b_scale", b_scale, Kind::single),
                    o.bias ? Array::input("bias", bias, bias_kind) : Array::absent("bias"),
                    Array::output("c", s.m * s.n, bound)};
  problem.args = [=](DType dtype, const Pointers& p) {
    return QuantizedMatmul{.a = static_cast<const int8_t*>(p[0]),
                           .a_scale = static_cast<const float*>(p[1]),
                           .b = static_cast<const int8_t*>(p[2]),
                           .b_scale = static_cast<const float*>(p[3]),
                           .bias = p[4],
                           .c = p[5],
                           .m = s.m,
                           .n = s.n,
                           .k = s.k,
                           .activation = o.activation,
                           .dtype = dtype,
                           .bias_dtype = dtype_of_kind(bias_kind, dtype)};
  };
  return problem;
}

const std::vector<Shape> kShapes = {{0, 5, 3},    {5, 0, 3},     {4, 5, 0},     {1, 1, 1},    {1, 33, 64},
                                    {3, 1, 17},   {15, 16, 63},  {16, 32, 64},  {17, 33, 65}, {32, 32, 128},
                                    {33, 100, 7}, {65, 31, 192}, {64, 64, 2048}};

TEST(QuantizedMatmul, EveryShapeWithAndWithoutBias) {
  for (const Shape& shape : kShapes) {
    for (const bool bias : {false, true}) {
      for (const bool wide : {false, true}) {
        check_all(kernels::quantized_matmul, product_problem(shape, {.bias = bias, .wide_bias = wide}));
        if (HasFailure()) return;
      }
    }
  }
}

TEST(QuantizedMatmul, EveryActivation) {
  for (const auto kind :
       {Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::tanh, Activation::sigmoid}) {
    for (const Shape& shape : {Shape{17, 33, 65}, Shape{40, 70, 130}, Shape{2, 5, 0}}) {
      check_all(kernels::quantized_matmul, product_problem(shape, {.activation = kind}));
    }
  }
}

// The products of a MiniLM layer.
TEST(QuantizedMatmul, ModelSizes) {
  for (const Shape& shape : {Shape{67, 1152, 384}, Shape{16, 1536, 384}, Shape{130, 384, 1536}}) {
    check(kernels::quantized_matmul, product_problem(shape, {}), DType::f32);
    check(kernels::quantized_matmul, product_problem(shape, {}), DType::bf16);
  }
}

/// C of each implementation that can run, by name.
std::map<std::string, std::vector<std::byte>> results(const Problem<QuantizedMatmul>& problem, DType dtype) {
  std::map<std::string, std::vector<std::byte>> out;
  std::vector<Values> values;
  for (const Array& array : problem.arrays) values.push_back(array.values);
  for (const auto& implementation : kernels::quantized_matmul.implementations()) {
    if (device_count(implementation.device) == 0) continue;
    if (implementation.can_run(problem.args(dtype, Pointers(6)), machine()) != nullptr) continue;
    out[implementation.name] = run_implementation(implementation, problem, values, dtype, 0).back().content();
  }
  return out;
}

// Sums are exact and what follows them is rounded in one order, so that a model answers alike on every machine.
TEST(QuantizedMatmul, EveryImplementationGivesTheSameBits) {
  for (const Shape& shape : kShapes) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto problem = product_problem(shape, {});
      const auto all = results(problem, dtype);
      for (const auto& [name, bytes] : all) {
        EXPECT_TRUE(bytes == all.at("ref")) << name << " " << name_of(dtype) << " " << problem.label;
      }
    }
  }
}

// Where two products of the largest factors do not fit 16 bits: sums must not stop at their ends.
TEST(QuantizedMatmul, TheLargestProductsDoNotSaturate) {
  constexpr Shape kShape = {9, 40, 1000};
  for (const int a : {-128, 127}) {
    for (const int b : {-128, 127}) {
      auto problem = product_problem(kShape, {.bias = false});
      std::fill(problem.arrays[0].values.begin(), problem.arrays[0].values.end(), a);
      const std::vector<int8_t> right(kShape.n * kShape.k, static_cast<int8_t>(b));
      problem.arrays[2].values = as_values(packed(right, kShape.n, kShape.k));
      for (const size_t scale : {1, 3}) problem.arrays[scale].values.assign(problem.arrays[scale].values.size(), 1.0);
      for (const auto& [name, bytes] : results(problem, DType::f32)) {
        for (size_t i = 0; i < bytes.size(); i += sizeof(float)) {
          float value = 0;
          std::memcpy(&value, bytes.data() + i, sizeof value);
          ASSERT_EQ(value, static_cast<float>(1000 * a * b)) << name << " at " << i / sizeof(float);
        }
      }
    }
  }
}

TEST(QuantizedMatmul, ADepthWhoseSumsMightNotFitIsRefusedByAll) {
  QuantizedMatmul args = {};
  args.dtype = DType::f32;
  args.k = kernels::kMostQuantizedDepth + 1;
  for (const auto& implementation : kernels::quantized_matmul.implementations()) {
    EXPECT_NE(implementation.can_run(args, machine()), nullptr) << implementation.name;
  }
}

}  // namespace
}  // namespace suanli::testing
