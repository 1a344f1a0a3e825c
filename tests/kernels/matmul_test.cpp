// The matrix products and the sum of rows, over sizes around vector widths and of models, all transposes, biases and
// accumulation.
#include "kernels/matmul.h"

#include <bit>
#include <numbers>

#include "kernels/harness.h"
#include "kernels/stand_in.h"
#include "kernels/tf32.h"

namespace suanli::testing {
namespace {

using kernels::ColumnSum;
using kernels::Matmul;

struct MatmulShape {
  int64_t m, n, k;
};
struct MatmulOptions {
  bool transpose_a = false, transpose_b = false, accumulate = false;
  bool bias = false, wide_bias = false, wide_c = false;
};

std::string label(const MatmulShape& s, const MatmulOptions& o) {
  return std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) + (o.transpose_a ? " At" : "") +
         (o.transpose_b ? " Bt" : "") + (o.accumulate ? " +=" : "") +
         (o.bias ? o.wide_bias ? " bias f32" : " bias" : "") + (o.wide_c ? " C f32" : "");
}

Problem<Matmul> matmul_problem(const MatmulShape& s, const MatmulOptions& o) {
  const Kind c_kind = o.wide_c ? Kind::statistic : Kind::data;
  const Kind bias_kind = o.wide_bias ? Kind::statistic : Kind::data;
  const Values a = normal(s.m * s.k, 1), b = normal(s.k * s.n, 2);
  // Norms of the rows of A and columns of B; 1.01 holds the rounding of inputs to bf16.
  Values a_norm, b_norm;
  for (int64_t m = 0; m < s.m; ++m) {
    a_norm.push_back(1.01 * (o.transpose_a ? norm(a.data() + m, s.k, s.m) : norm(a.data() + m * s.k, s.k)));
  }
  for (int64_t n = 0; n < s.n; ++n) {
    b_norm.push_back(1.01 * (o.transpose_b ? norm(b.data() + n * s.k, s.k) : norm(b.data() + n, s.k, s.n)));
  }
  const auto bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
    const auto width = static_cast<size_t>(s.n);
    // Bias and the old C join the sum with one rounding each; they are standard normal here, so that 8 bounds them.
    return sum_error(sum_dtype(dtype), s.k + 2,
                     a_norm[i / width] * b_norm[i % width] + (o.bias || o.accumulate ? 8 : 0));
  };
  Problem<Matmul> problem;
  problem.label = label(s, o);
  problem.arrays = {Array::input("a", a), Array::input("b", b),
                    o.bias ? Array::input("bias", normal(s.n, 3), bias_kind) : Array::absent("bias"),
                    Array::output("c", s.m * s.n, bound, c_kind)};
  problem.bits_without_threads = false;  // oneDNN on AVX2 splits sums over k between threads
  if (o.accumulate) problem.arrays[3].values = normal(s.m * s.n, 4);
  problem.args = [=](DType dtype, const Pointers& p) {
    return Matmul{.a = p[0],
                  .b = p[1],
                  .bias = p[2],
                  .c = p[3],
                  .m = s.m,
                  .n = s.n,
                  .k = s.k,
                  .transpose_a = o.transpose_a,
                  .transpose_b = o.transpose_b,
                  .accumulate = o.accumulate,
                  .dtype = dtype,
                  .c_dtype = dtype_of_kind(c_kind, dtype),
                  .bias_dtype = dtype_of_kind(bias_kind, dtype)};
  };
  return problem;
}

const std::vector<MatmulShape> kSmall = {{1, 1, 1},    {1, 7, 3},    {3, 1, 17},   {7, 9, 1},    {15, 16, 17},
                                         {16, 16, 32}, {17, 33, 31}, {33, 15, 64}, {64, 64, 64}, {65, 2, 129}};

TEST(Matmul, EveryTransposeBiasAndAccumulation) {
  for (const MatmulShape& shape : kSmall) {
    for (int bits = 0; bits < 32; ++bits) {
      const MatmulOptions options = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, true,
                                     (bits & 16) != 0};
      check_all(kernels::matmul, matmul_problem(shape, options));
      if (HasFailure()) return;
    }
  }
}

TEST(Matmul, BiasInTheDtypeOfTheOperands) {
  for (const MatmulShape& shape : kSmall) check_all(kernels::matmul, matmul_problem(shape, {.bias = true}));
}

TEST(Matmul, NothingToSumLeavesTheBiasOrTheOldValues) {
  for (const MatmulShape& shape : std::vector<MatmulShape>{{0, 5, 3}, {5, 0, 3}, {4, 5, 0}, {0, 0, 0}}) {
    for (const bool accumulate : {false, true}) {
      for (const bool bias : {false, true}) {
        check_all(kernels::matmul, matmul_problem(shape, {.accumulate = accumulate, .bias = bias, .wide_bias = true}));
        check_all(
            kernels::matmul,
            matmul_problem(
                shape,
                {.transpose_a = true, .transpose_b = true, .accumulate = accumulate, .bias = bias, .wide_bias = true}));
      }
    }
  }
}

// The products of a MiniLM layer: forward, its gradient by x, its gradient by the weight.
TEST(Matmul, ModelSizes) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    check(kernels::matmul, matmul_problem({67, 384, 384}, {.transpose_b = true, .bias = true, .wide_bias = true}),
          dtype);
    check(kernels::matmul, matmul_problem({33, 1536, 384}, {.transpose_b = true, .bias = true}), dtype);
    check(kernels::matmul, matmul_problem({33, 384, 1536}, {}), dtype);
    check(kernels::matmul, matmul_problem({384, 130, 300}, {.transpose_a = true, .wide_c = true}), dtype);
    check(kernels::matmul, matmul_problem({129, 65, 1000}, {.transpose_a = true, .accumulate = true, .wide_c = true}),
          dtype);
    check(kernels::matmul, matmul_problem({1, 384, 384}, {.transpose_b = true, .bias = true}), dtype);
  }
}

TEST(Matmul, NanAndInfinityReachTheirRowsAndColumnsAlone) {
  for (const bool transpose : {false, true}) {
    auto problem = matmul_problem({17, 33, 31}, {.transpose_a = transpose, .transpose_b = transpose});
    const auto at = [&](int64_t row, int64_t column) { return transpose ? column * 17 + row : row * 31 + column; };
    problem.arrays[0].values[static_cast<size_t>(at(3, 5))] = std::numeric_limits<double>::quiet_NaN();
    problem.arrays[0].values[static_cast<size_t>(at(9, 30))] = std::numeric_limits<double>::infinity();
    check_all(kernels::matmul, problem);
  }
}

constexpr double kMost = 8;  // no sum of the problems below is larger

/// What a relative error of 2^-11 in tanh may add to GELU's tanh form where C has 16 bits, at a sum x.
double tanh_error(double x) { return std::abs(x) / 2 * 0x1p-11; }
/// The same for its derivative (1 + t) / 2 + x/2 (1 - t^2) u', t = tanh(u).
double tanh_slope_error(double x) {
  return 0x1p-11 * (0.5 + std::abs(x) * std::sqrt(2 * std::numbers::inv_pi) * (1 + 3 * 0.044715 * x * x));
}

// f, f' and factors act on the sum as it is in f32, whatever C is stored as; K over one block, edges in M and N.
TEST(Matmul, Epilogues) {
  enum Kept { nothing, slope, sum };
  struct Case {
    const char* label;
    std::optional<kernels::Activation> activation;
    Kept kept;
    bool factor;
  };
  using enum kernels::Activation;
  for (const Case& c :
       {Case{"gelu", gelu, slope, false}, Case{"gelu, no slope", gelu, nothing, false},
        Case{"gelu, sum", gelu, sum, false}, Case{"gelu_tanh", gelu_tanh, slope, false},
        Case{"gelu_tanh, no slope", gelu_tanh, nothing, false}, Case{"gelu_tanh, sum", gelu_tanh, sum, false},
        Case{"tanh", kernels::Activation::tanh, slope, false}, Case{"sigmoid", sigmoid, slope, false},
        Case{"factor", std::nullopt, nothing, true}}) {
    for (const MatmulShape& s : std::vector<MatmulShape>{
             {1, 7, 3}, {17, 33, 31}, {16, 48, 384}, {33, 64, 1030}, {65, 100, 129}, {0, 5, 3}, {4, 5, 0}}) {
      for (const bool accumulate : {false, true}) {
        Problem<Matmul> problem = matmul_problem(s, {.transpose_b = true, .accumulate = accumulate, .bias = true});
        problem.label += std::string(" ") + c.label;
        // Sums near 1, where the functions bend. No function here is steeper than 1.13, no slope than 0.8.
        const double size = 1 / std::sqrt(std::max(1.0, static_cast<double>(s.k)));
        problem.arrays[0].values = normal(s.m * s.k, 1, size);
        const Bound sum_bound = problem.arrays[3].bound;
        const Bound bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
          const double factor = c.factor ? std::abs(v[5][i]) : 1.13;
          const bool rough = c.activation == gelu_tanh && c.kept != slope && size_of(dtype) == 2;
          return factor * sum_bound(i, v, dtype) + function_error(sum_dtype(dtype), 10) +
                 (rough ? tanh_error(c.kept == sum ? v[4][i] : kMost) : 0);
        };
        problem.arrays[3].bound = bound;
        problem.arrays.push_back(c.kept == nothing
                                     ? Array::absent("kept")
                                     : Array::output("kept", s.m * s.n, c.kept == sum ? sum_bound : bound));
        problem.arrays.push_back(c.factor ? Array::input("factor", normal(s.m * s.n, 6)) : Array::absent("factor"));
        problem.args = [plain = problem.args, c](DType dtype, const Pointers& p) {
          Matmul args = plain(dtype, p);
          args.epilogue = {.activation = c.activation, .factor = p[5]};
          (c.kept == sum ? args.epilogue.sum : args.epilogue.slope) = p[4];
          return args;
        };
        check_all(kernels::matmul, problem);
        if (HasFailure()) return;
      }
    }
  }
}

// C = s f'(at), the gradient through an activation whose sums were kept.
TEST(Matmul, TheGradientThroughKeptSums) {
  for (const kernels::Activation f : {kernels::Activation::gelu_tanh, kernels::Activation::gelu}) {
    for (const MatmulShape& s :
         std::vector<MatmulShape>{{1, 7, 3}, {17, 33, 31}, {16, 48, 384}, {0, 5, 3}, {4, 5, 0}}) {
      Problem<Matmul> problem = matmul_problem(s, {});
      problem.label += f == kernels::Activation::gelu ? " gelu" : " gelu_tanh";
      problem.arrays[0].values = normal(s.m * s.k, 1, 1 / std::sqrt(std::max(1.0, static_cast<double>(s.k))));
      problem.arrays.push_back(Array::input("at", normal(s.m * s.n, 6)));
      problem.arrays[3].bound = [=, sum_bound = problem.arrays[3].bound](size_t i, const std::vector<Values>& v,
                                                                         DType dtype) {
        const bool rough = f == kernels::Activation::gelu_tanh && size_of(dtype) == 2;
        return 1.13 * sum_bound(i, v, dtype) +
               kMost * (function_error(sum_dtype(dtype), 10) + (rough ? tanh_slope_error(v[4][i]) : 0));
      };
      problem.args = [plain = problem.args, f](DType dtype, const Pointers& p) {
        Matmul args = plain(dtype, p);
        args.epilogue = {.activation = f, .at = p[4]};
        return args;
      };
      check_all(kernels::matmul, problem);
    }
  }
}

// The gradient dy^T x of a weight, and beside it that of a bias: the sums of the columns of dy, in the dtype of C.
TEST(Matmul, RowSumsBesideTheProduct) {
  for (const bool wide_c : {true, false}) {
    for (const MatmulShape& s :
         std::vector<MatmulShape>{{1, 7, 3}, {17, 33, 31}, {48, 16, 384}, {64, 130, 300}, {5, 0, 3}, {4, 5, 0}}) {
      Problem<Matmul> problem = matmul_problem(s, {.transpose_a = true, .wide_c = wide_c});
      const Kind kind = wide_c ? Kind::statistic : Kind::data;
      const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        const double size = norm(v[0].data() + i, s.k, s.m);
        return sum_error(sum_dtype(dtype), s.k, size * std::sqrt(static_cast<double>(s.k)));
      };
      problem.arrays.push_back(Array::output("row_sums", s.m, bound, kind));
      problem.args = [plain = problem.args](DType dtype, const Pointers& p) {
        Matmul args = plain(dtype, p);
        args.row_sums = p[4];
        return args;
      };
      check_all(kernels::matmul, problem);
    }
  }
}

// A constant B that was packed once gives the bits of a B that is packed in every call.
TEST(Matmul, AConstantBGivesTheSameBits) {
  for (const auto& [constant, plain] : {std::pair{"amx", "amx"}, std::pair{"simd_packed", "simd"}}) {
    const auto* with = kernels::matmul.find(constant);
    const auto* without = kernels::matmul.find(plain);
    const DType dtype = std::string_view(plain) == "amx" ? DType::bf16 : DType::f32;
    for (const MatmulShape shape :
         {MatmulShape{1, 384, 384}, {16, 100, 384}, {17, 33, 31}, {67, 1152, 1000}, {200, 384, 1}}) {
      for (const bool transpose : {true, false}) {
        const auto problem = matmul_problem(shape, {.transpose_b = transpose, .bias = true, .wide_bias = true});
        DerivedForms forms;
        const auto run = [&](const auto& implementation, DerivedForms* kept) {
          Pointers pointers;
          std::vector<GuardedBuffer> buffers;
          buffers.reserve(problem.arrays.size());
          for (const Array& array : problem.arrays) {
            buffers.emplace_back(dtype_of_kind(array.kind, dtype), array.values, 0);
            pointers.push_back(array.null ? nullptr : buffers.back().data());
          }
          kernels::Matmul args = problem.args(dtype, pointers);
          args.b_forms = kept;
          if (implementation.can_run(args, machine()) != nullptr) return std::vector<std::byte>();
          implementations_run().insert(std::string("matmul/") + implementation.name);
          for (int call = 0; call < 3; ++call) implementation.run(args, backend({}).default_stream());
          return buffers.back().content();
        };
        const auto packed = run(*with, &forms);
        if (packed.empty()) continue;  // refused: another machine's, or more rows than pay on this one
        EXPECT_EQ(packed, run(*without, nullptr)) << constant << " " << problem.label;
      }
    }
  }
}

// Forward and backward read one constant weight in two ways, and a stacked weight in parts: each has a form of its own.
TEST(Matmul, AConstantBIsPackedForEachWayOfReadingIt) {
  constexpr int64_t kSide = 64, kRows = 4;
  struct Way {
    int64_t n, k;
    bool transposed;
  };
  for (const auto& [constant, plain] : {std::pair{"amx", "amx"}, std::pair{"simd_packed", "simd"}}) {
    const DType dtype = std::string_view(plain) == "amx" ? DType::bf16 : DType::f32;
    const auto numbers = matmul_problem({kRows, kSide, kSide}, {});
    GuardedBuffer a(dtype, numbers.arrays[0].values, 0), b(dtype, numbers.arrays[1].values, 0);
    DerivedForms forms;
    const auto product = [&](const char* name, const Way& way, DerivedForms* kept) {
      GuardedBuffer c(DType::f32, Values(static_cast<size_t>(kRows * way.n)), 0);
      const Matmul args = {.a = a.data(),
                           .b = b.data(),
                           .bias = nullptr,
                           .c = c.data(),
                           .m = kRows,
                           .n = way.n,
                           .k = way.k,
                           .transpose_a = false,
                           .transpose_b = way.transposed,
                           .accumulate = false,
                           .dtype = dtype,
                           .c_dtype = DType::f32,
                           .bias_dtype = DType::f32,
                           .b_forms = kept};
      const auto& implementation = *kernels::matmul.find(name);
      if (implementation.can_run(args, machine()) != nullptr) return std::vector<std::byte>();
      implementation.run(args, backend({}).default_stream());
      return c.content();
    };
    for (int call = 0; call < 3; ++call) {
      for (const Way& way : {Way{kSide, kSide, true}, {kSide, kSide, false}, {kSide / 2, kSide, true}}) {
        const auto packed = product(constant, way, &forms);
        if (packed.empty()) continue;  // another machine's
        EXPECT_EQ(packed, product(plain, way, nullptr))
            << constant << " n " << way.n << (way.transposed ? " Bt" : " B");
      }
    }
  }
}

// With tf32 a CUDA product is that of operands with 10 bits of fraction, all rounded to nearest or all cut off, summed
// in f32, and not that of the operands themselves; on the CPU it has the bits that it has without.
TEST(Matmul, Tf32KeepsTenBitsOfTheOperandsOnCuda) {
  const MatmulShape shape = {33, 24, 136};
  const auto with_fraction = [](Values values, uint32_t half) {
    for (double& value : values) {
      const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
      value = std::bit_cast<float>((bits + half) & ~0x1fffU);
    }
    return values;
  };
  for (const bool transpose : {false, true}) {
    const Problem<Matmul> exact = matmul_problem(shape, {.transpose_a = transpose, .transpose_b = !transpose});
    std::vector<Values> values;
    for (const Array& array : exact.arrays) values.push_back(array.values);
    const auto product_of = [&](const auto& change) {
      const std::vector<Values> operands = {change(values[0]), change(values[1]), values[2], values[3]};
      return run_implementation(*kernels::matmul.find("ref"), exact, operands, DType::f64, 0)[3].read();
    };
    const auto farthest = [&](const Values& got, const Values& wanted) {
      double most = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        most = std::max(most, std::abs(got[i] - wanted[i]) / exact.arrays[3].bound(i, {}, DType::f32));
      }
      return most;
    };
    const Values as_they_are = product_of([](const Values& v) { return v; });
    const Values rounded = product_of([&](const Values& v) { return with_fraction(v, 0x1000); });
    const Values cut = product_of([&](const Values& v) { return with_fraction(v, 0); });
    for (const auto& implementation : kernels::matmul.implementations()) {
      if (device_count(implementation.device) == 0) continue;
      auto plain = run_implementation(implementation, exact, values, DType::f32, 0);
      kernels::tf32_allowed = true;
      auto tf32 = run_implementation(implementation, exact, values, DType::f32, 0);
      kernels::tf32_allowed = false;
      if (tf32.empty()) continue;
      if (implementation.device == DeviceType::cpu) {
        EXPECT_EQ(tf32[3].content(), plain[3].content()) << implementation.name;
        continue;
      }
      EXPECT_GT(farthest(tf32[3].read(), as_they_are), 2) << implementation.name << " has not used it";
      const bool may_cut = std::string_view(implementation.name) == "cublaslt";
      const double to_cut = may_cut ? farthest(tf32[3].read(), cut) : HUGE_VAL;
      EXPECT_LE(std::min(to_cut, farthest(tf32[3].read(), rounded)), 1) << implementation.name;
    }
  }
}

/// A function of cuBLASLt's stand-in, where that is the library; else null.
template <class Function>
Function* of_cublaslt(const char* name) {
  kernels::matmul.find("cublaslt", DeviceType::cuda)->can_run(Matmul{}, machine());  // opens the library
  return of_stand_in<Function>("libcublasLt.so.13", name);
}

// GELU's tanh form in 16 bits, its gradient and the sums of rows are the library's own epilogues where sizes and
// addresses allow: one call, no kernel of ours after it. Counted by the stand-in; elsewhere nothing is checked here.
TEST(Matmul, CublasltsOwnEpiloguesWhereTheyServe) {
  const auto* library = kernels::matmul.find("cublaslt", DeviceType::cuda);
  if (library == nullptr || device_count(DeviceType::cuda) == 0) return;  // no such implementation, no such device
  auto* const calls = of_cublaslt<int(int)>("stand_in_products_with");
  if (calls == nullptr) return;
  struct Case {
    int epilogue;  // its number in cublasLtEpilogue_t
    MatmulOptions options;
    std::function<void(Matmul&, void*)> ask;
  };
  using enum kernels::Activation;
  const std::vector<Case> cases = {
      {36, {.bias = true}, [](Matmul& args, void*) { args.epilogue.activation = gelu_tanh; }},
      {32, {}, [](Matmul& args, void*) { args.epilogue.activation = gelu_tanh; }},
      {164, {.bias = true}, [](Matmul& args, void* p) { args.epilogue = {.activation = gelu_tanh, .sum = p}; }},
      {160, {}, [](Matmul& args, void* p) { args.epilogue = {.activation = gelu_tanh, .sum = p}; }},
      {192, {}, [](Matmul& args, void* p) { args.epilogue = {.activation = gelu_tanh, .at = p}; }},
      {512, {.transpose_a = true}, [](Matmul& args, void* p) { args.row_sums = p; }}};
  for (const Case& c : cases) {
    const auto calls_of = [&](const MatmulShape& shape, DType dtype) {
      Problem<Matmul> problem = matmul_problem(shape, c.options);
      problem.arrays.push_back(Array::output("beside", shape.m * shape.n, problem.arrays[3].bound));
      problem.args = [plain = problem.args, &c](DType d, const Pointers& p) {
        Matmul args = plain(d, p);
        c.ask(args, p[4]);
        return args;
      };
      std::vector<Values> values;
      for (const Array& array : problem.arrays) values.push_back(array.values);
      const int before = calls(c.epilogue);
      EXPECT_FALSE(run_implementation(*library, problem, values, dtype, 0).empty());
      return calls(c.epilogue) - before;
    };
    EXPECT_EQ(calls_of({16, 24, 40}, DType::bf16), 1) << c.epilogue;
    EXPECT_EQ(calls_of({16, 24, 40}, DType::f16), 1) << c.epilogue;
    EXPECT_EQ(calls_of({16, 24, 40}, DType::f32), c.epilogue == 512 ? 1 : 0) << c.epilogue << ": ours is exact";
    EXPECT_EQ(calls_of({16, 20, 40}, DType::bf16), c.epilogue == 512 ? 1 : 0) << c.epilogue << ": rows of no eights";
  }
}

// The library's search takes longer than a small product: it is asked once for all calls of a shape, transposes, bias
// or none and alignment of the operands. Counted by the stand-in of the library; elsewhere the products alone are
// checked.
TEST(Matmul, CublasltIsAskedForAnAlgorithmOnceForEachShape) {
  const auto* library = kernels::matmul.find("cublaslt", DeviceType::cuda);
  if (library == nullptr || device_count(DeviceType::cuda) == 0) return;  // no such implementation, no such device
  auto* const count = of_cublaslt<int()>("stand_in_heuristic_calls");
  const auto calls_of = [&](const MatmulShape& shape, bool bias, int shift) {
    const int before = count == nullptr ? 0 : count();
    const auto problem = matmul_problem(shape, {.transpose_b = true, .bias = bias});
    std::vector<Values> values;
    for (const Array& array : problem.arrays) values.push_back(array.values);
    EXPECT_FALSE(run_implementation(*library, problem, values, DType::f32, shift).empty());
    return count == nullptr ? 0 : count() - before;
  };
  const int first = count == nullptr ? 0 : 1;
  const MatmulShape shape = {19, 24, 40};  // of no other test
  EXPECT_EQ(calls_of(shape, true, 0), first);
  EXPECT_EQ(calls_of(shape, true, 0), 0) << "the same product in other memory";
  EXPECT_EQ(calls_of(shape, false, 0), first) << "without the bias";
  EXPECT_EQ(calls_of(shape, false, 1), first) << "operands on 4 bytes";
  EXPECT_EQ(calls_of({20, 24, 40}, true, 0), first) << "another shape";
  EXPECT_EQ(calls_of(shape, true, 0), 0) << "the first is kept";
}

TEST(ColumnSum, EveryShape) {
  for (const int64_t width : kCounts) {
    for (const int64_t rows : {0, 1, 2, 7, 33, 300}) {
      const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        const double size = norm(v[0].data() + i, rows, width);
        return sum_error(sum_dtype(dtype), rows, size * std::sqrt(static_cast<double>(rows)));
      };
      check_all(kernels::column_sum, Problem<ColumnSum>{std::to_string(rows) + "x" + std::to_string(width),
                                                        {Array::input("x", normal(rows * width, 5)),
                                                         Array::output("y", width, bound, Kind::statistic)},
                                                        [=](DType dtype, const Pointers& p) {
                                                          return ColumnSum{p[0], p[1], rows, width, dtype};
                                                        }});
    }
  }
}

}  // namespace
}  // namespace suanli::testing
