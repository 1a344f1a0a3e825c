// Every op of the table, by one list of cases: coverage, gradients, dtypes, threads, compositions, PyTorch, errors.
#include <gtest/gtest.h>
#include <cmath>
#include <set>

#include "autograd/tape.h"
#include "base/error.h"
#include "base/parallel.h"
#include "cases.h"
#include "golden_tensors.h"
#include "kernels/machine.h"
#include "ops/initialize.h"
#include "ops/table.h"
#include "tolerance.h"

namespace suanli::testing {
namespace {

class Ops : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialize(); }

  static const GoldenTensors& golden() {
    static const GoldenTensors tensors(std::string(SUANLI_TESTS_DIR) + "/golden/ops/ops.safetensors");
    return tensors;
  }
};

/// Compares numbers with their exact values within `bound(i)`; one complaint per array.
template <class Bound>
void expect_close(const std::vector<double>& got, const std::vector<double>& exact, const std::string& what,
                  Bound&& bound) {
  ASSERT_EQ(got.size(), exact.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(close(got[i], exact[i], bound(i)))
        << what << "[" << i << "] is " << got[i] << ", expected " << exact[i] << " within " << bound(i);
  }
}

/// What a result in `dtype`, stored as `stored`, may be off by: sums of `terms` terms in the accumulation dtype, a few
/// roundings of intermediates to the dtype (an op may keep its sum, its output or a probability in it), and its own.
/// Terms are granted eight times the largest result: the inputs are standard normal and at most 24 wide, so that what
/// cancels in a sum stays below that.
double op_bound(const OpCase& op_case, const std::vector<double>& exact, DType dtype, DType stored) {
  const double size = std::max(1e-3, largest(exact.data(), static_cast<int64_t>(exact.size())));
  const double computing =
      sum_error(sum_dtype(dtype), op_case.terms, 8 * size) + function_error(sum_dtype(dtype), 8 * size);
  const double intermediates = size_of(dtype) == 2 ? 4 * unit_roundoff(dtype) * size : 0;
  return computing + intermediates + rounding(stored, size);
}

std::vector<std::vector<double>> rounded_inputs(const OpCase& op_case, DType dtype, bool wide) {
  auto inputs = random_inputs(op_case);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Input& input = op_case.inputs[i];
    inputs[i] = values_of(tensor_of(inputs[i], input.shape, input_dtype(input, dtype, wide)));
  }
  return inputs;
}

// A new row of the op table without cases, errors or golden values fails here, and so does a case of no row.
TEST_F(Ops, EveryRowOfTheTableIsCovered) {
  std::set<std::string> rows, cases, errors, with_golden, with_composition, with_gradient;
  for (const auto& row : ops::op_table()) {
    EXPECT_TRUE(rows.insert(row.name).second) << row.name << " has two rows";
    EXPECT_TRUE(row.torch != nullptr) << row.name;
  }
  for (const OpCase& op_case : op_cases()) {
    EXPECT_TRUE(rows.count(op_case.op)) << op_case.op << " has no row";
    cases.insert(op_case.op);
    if (golden().has(op_case.name() + "/y")) with_golden.insert(op_case.op);
    if (op_case.composition) with_composition.insert(op_case.op);
    if (op_case.gradient) with_gradient.insert(op_case.op);
  }
  for (const ErrorCase& error : error_cases()) {
    EXPECT_TRUE(rows.count(error.op)) << error.op << " has no row";
    errors.insert(error.op);
  }
  for (const auto& row : ops::op_table()) {
    EXPECT_TRUE(cases.count(row.name)) << row.name << " has no case";
    EXPECT_TRUE(errors.count(row.name)) << row.name << " has no error case";
    EXPECT_TRUE(with_golden.count(row.name)) << row.name << " is not compared with " << row.torch;
    EXPECT_EQ(with_composition.count(row.name) != 0, row.composition != nullptr) << row.name << ": composition";
    EXPECT_EQ(with_gradient.count(row.name) != 0, row.no_gradient == nullptr) << row.name << ": gradient";
  }
}

/// sum_i c_i y_i of one run in f64.
double weighted_sum(const OpCase& op_case, const std::vector<std::vector<double>>& inputs) {
  Tensors tensors;
  for (size_t i = 0; i < inputs.size(); ++i)
    tensors.push_back(tensor_of(inputs[i], op_case.inputs[i].shape, DType::f64));
  const NoGradient off;
  const std::vector<double> y = values_of(op_case.run(tensors)), c = cotangent(static_cast<int64_t>(y.size()));
  double sum = 0;
  for (size_t i = 0; i < y.size(); ++i) sum += c[i] * y[i];
  return sum;
}

// The way to say that an op has no gradient is an error: a training run must not pass it by in silence.
TEST_F(Ops, WithoutAGradientAnInputThatWantsOneIsAnError) {
  for (const OpCase& op_case : op_cases()) {
    if (op_case.gradient) continue;
    SCOPED_TRACE(op_case.name());
    const auto inputs = random_inputs(op_case);
    Tensors tensors;
    for (size_t i = 0; i < inputs.size(); ++i) {
      tensors.push_back(tensor_of(inputs[i], op_case.inputs[i].shape, DType::f32));
    }
    for (Tensor& tensor : tensors) {
      require_gradient(tensor);
      EXPECT_THROW(op_case.run(tensors), UserError);
      tensor = detach(tensor);
    }
    EXPECT_NO_THROW(op_case.run(tensors));
  }
}

// Central differences in f64 with step 1e-6: their own error is about 1e-12 from the third derivative and 1e-16 / 1e-6
// = 1e-10 of the sum from rounding; 1e-8 leaves two digits, and any wrong rule is off by far more.
TEST_F(Ops, GradientsEqualCentralDifferences) {
  constexpr double kStep = 1e-6, kAbsolute = 1e-8, kRelative = 1e-6;
  for (const OpCase& op_case : op_cases()) {
    if (!op_case.gradient) continue;
    SCOPED_TRACE(op_case.name());
    const auto inputs = random_inputs(op_case);
    const Outcome exact = run_case(op_case, op_case.run, inputs, DType::f64, false);

    double along = 0;  // all inputs at once, in a random direction
    auto plus = inputs, minus = inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!op_case.has_gradient(i)) continue;
      const std::vector<double> direction = cotangent(static_cast<int64_t>(inputs[i].size()));
      for (size_t e = 0; e < direction.size(); ++e) {
        along += exact.gradients[i][e] * direction[e];
        plus[i][e] += kStep * direction[e];
        minus[i][e] -= kStep * direction[e];
      }
    }
    const double directional = (weighted_sum(op_case, plus) - weighted_sum(op_case, minus)) / (2 * kStep);
    EXPECT_NEAR(along, directional, kAbsolute * 10 + kRelative * std::abs(directional));

    for (size_t i = 0; i < inputs.size(); ++i) {
      for (size_t e = 0; e < exact.gradients[i].size(); ++e) {
        auto up = inputs, down = inputs;
        up[i][e] += kStep;
        down[i][e] -= kStep;
        const double difference = (weighted_sum(op_case, up) - weighted_sum(op_case, down)) / (2 * kStep);
        ASSERT_NEAR(exact.gradients[i][e], difference, kAbsolute + kRelative * std::abs(difference))
            << "input " << i << " element " << e;
      }
    }
  }
}

// f32, bf16 and f16 against the f64 run on the same rounded inputs; parameters also in f32 beside 16-bit inputs.
TEST_F(Ops, NarrowDtypesAgreeWithF64) {
  for (const OpCase& op_case : op_cases()) {
    for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
      for (const bool wide : {false, true}) {
        if (wide && dtype == DType::f32) continue;
        SCOPED_TRACE(op_case.name() + " " + name_of(dtype) + (wide ? ", f32 parameters" : ""));
        const auto inputs = rounded_inputs(op_case, dtype, wide);
        const Outcome got = run_case(op_case, op_case.run, inputs, dtype, wide);
        // The gradient handed in is rounded to the dtype of y.
        const auto dy = values_of(tensor_of(cotangent(got.y_shape.elements()), got.y_shape, got.y_dtype));
        const Outcome exact = run_case(op_case, op_case.run, inputs, DType::f64, false, dy);
        // Parameters in f32 are rounded to the dtype for products: one more rounding of a factor, as of any input.
        expect_close(got.y, exact.y, "y", [&](size_t) { return op_bound(op_case, exact.y, dtype, got.y_dtype); });
        for (size_t i = 0; i < inputs.size(); ++i) {
          if (!op_case.has_gradient(i)) continue;
          EXPECT_EQ(got.gradient_dtypes[i], input_dtype(op_case.inputs[i], dtype, wide)) << "gradient " << i;
          const DType least = size_of(got.y_dtype) < size_of(dtype) ? got.y_dtype : dtype;
          expect_close(got.gradients[i], exact.gradients[i], "gradient " + std::to_string(i),
                       [&](size_t) { return op_bound(op_case, exact.gradients[i], least, got.gradient_dtypes[i]); });
        }
      }
    }
  }
}

TEST_F(Ops, ThreadsDoNotChangeBits) {
  for (const OpCase& op_case : op_cases()) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      SCOPED_TRACE(op_case.name() + " " + name_of(dtype));
      const auto inputs = random_inputs(op_case);
      set_thread_count(1);
      const Outcome one = run_case(op_case, op_case.run, inputs, dtype, false);
      set_thread_count(4);
      const Outcome four = run_case(op_case, op_case.run, inputs, dtype, false);
      set_thread_count(machine().threads);
      EXPECT_EQ(one.y, four.y);
      EXPECT_EQ(one.gradients, four.gradients);
    }
  }
}

TEST_F(Ops, FusedOpsEqualTheirPlainComposition) {
  for (const OpCase& op_case : op_cases()) {
    if (!op_case.composition) continue;
    for (const DType dtype : {DType::f64, DType::f32, DType::bf16}) {
      SCOPED_TRACE(op_case.name() + " " + name_of(dtype));
      const auto inputs = rounded_inputs(op_case, dtype, false);
      const Outcome fused = run_case(op_case, op_case.run, inputs, dtype, false);
      const Outcome plain = run_case(op_case, op_case.composition, inputs, dtype, false);
      expect_close(fused.y, plain.y, "y", [&](size_t) { return 2 * op_bound(op_case, plain.y, dtype, dtype); });
      for (size_t i = 0; i < inputs.size(); ++i) {
        expect_close(fused.gradients[i], plain.gradients[i], "gradient " + std::to_string(i),
                     [&](size_t) { return 2 * op_bound(op_case, plain.gradients[i], dtype, dtype); });
      }
    }
  }
}

// An op gives the same result and the same gradients when only some of its inputs want one.
TEST_F(Ops, GradientsDoNotDependOnWhoElseWantsOne) {
  for (const OpCase& op_case : op_cases()) {
    SCOPED_TRACE(op_case.name());
    const auto inputs = random_inputs(op_case);
    const Outcome all = run_case(op_case, op_case.run, inputs, DType::f32, false);
    for (size_t only = 0; only < inputs.size(); ++only) {
      if (!op_case.has_gradient(only)) continue;
      Tensors tensors;
      for (size_t i = 0; i < inputs.size(); ++i) {
        tensors.push_back(tensor_of(inputs[i], op_case.inputs[i].shape, DType::f32));
      }
      require_gradient(tensors[only]);
      const Tensor y = op_case.run(tensors);
      backward(y, tensor_of(cotangent(y.elements()), y.shape(), y.dtype()));
      EXPECT_EQ(values_of(y), all.y);
      EXPECT_EQ(values_of(gradient_of(tensors[only])), all.gradients[only]) << "input " << only;
      for (size_t i = 0; i < inputs.size(); ++i) {
        EXPECT_EQ(values_of(tensors[i]), values_of(tensor_of(inputs[i], op_case.inputs[i].shape, DType::f32)))
            << "input " << i << " was overwritten";
      }
    }
  }
}

TEST_F(Ops, NothingIsRecordedWithoutGradients) {
  for (const OpCase& op_case : op_cases()) {
    SCOPED_TRACE(op_case.name());
    const auto inputs = random_inputs(op_case);
    Tensors tensors;
    for (size_t i = 0; i < inputs.size(); ++i)
      tensors.push_back(tensor_of(inputs[i], op_case.inputs[i].shape, DType::f32));
    EXPECT_EQ(op_case.run(tensors).tape(), nullptr) << "no input wants a gradient";
    const auto expected = values_of(op_case.run(tensors));
    for (Tensor& tensor : tensors) require_gradient(tensor);
    const NoGradient off;
    const Tensor y = op_case.run(tensors);
    EXPECT_EQ(y.tape(), nullptr) << "gradients are off";
    EXPECT_EQ(values_of(y), expected);
  }
}

// PyTorch's values and gradients in f64. Both sides compute in f64; sums may differ in order.
TEST_F(Ops, EqualPyTorch) {
  for (const OpCase& op_case : op_cases()) {
    const std::string name = op_case.name();
    SCOPED_TRACE(name);
    ASSERT_TRUE(golden().has(name + "/y")) << "run tests/golden/ops/make_golden.py";
    for (const auto& [key, values] : op_case.integers) ASSERT_EQ(golden().integers(name + "/" + key), values);
    std::vector<std::vector<double>> inputs;
    OpCase shaped = op_case;
    for (size_t i = 0; i < op_case.inputs.size(); ++i) {
      const std::string input = name + "/x" + std::to_string(i);
      inputs.push_back(golden().doubles(input));
      shaped.inputs[i].shape = Shape(golden().shape(input));
    }
    const Outcome got = run_case(shaped, op_case.run, inputs, DType::f64, false, golden().doubles(name + "/dy"));
    const auto y = golden().doubles(name + "/y");
    expect_close(got.y, y, "y", [&](size_t) { return op_bound(op_case, y, DType::f64, DType::f64); });
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!op_case.has_gradient(i)) continue;
      const auto dx = golden().doubles(name + "/dx" + std::to_string(i));
      expect_close(got.gradients[i], dx, "gradient " + std::to_string(i),
                   [&](size_t) { return op_bound(op_case, dx, DType::f64, DType::f64); });
    }
  }
}

TEST_F(Ops, BrokenContractsAreUserErrorsThatNameTheOp) {
  for (const ErrorCase& error : error_cases()) {
    SCOPED_TRACE(error.op + ": " + error.label);
    try {
      error.run();
      ADD_FAILURE() << "no error";
    } catch (const UserError& caught) {
      EXPECT_EQ(std::string(caught.what()).rfind("[" + error.op + "]", 0), 0U) << caught.what();
    }
  }
}

}  // namespace
}  // namespace suanli::testing
