/// One list of cases for all tests of ops: gradients, dtypes, threads, compositions and PyTorch walk the same list.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace suanli::testing {

/// A float input of a case.
struct Input {
  Shape shape;
  double size = 1;           ///< standard deviation of its normal numbers
  bool parameter = false;    ///< may be f32 beside 16-bit inputs
  bool target = false;       ///< takes no gradient and is f32 (f64 beside f64)
  bool probability = false;  ///< numbers in 0..1 instead
};

using Tensors = std::vector<Tensor>;
using Integers = std::map<std::string, std::vector<int32_t>>;

struct OpCase {
  std::string op;     ///< a row of the op table
  std::string label;  ///< empty, or what is special: "smoothing"
  std::vector<Input> inputs;
  Integers integers;  ///< ids, labels, offsets: the same in tests/golden/ops
  std::function<Tensor(const Tensors&)> run;
  std::function<Tensor(const Tensors&)> composition;  ///< of a fused op: the same in plain ops
  int64_t terms = 1;                                  ///< the longest sum behind one element of a result or gradient
  bool gradient = true;                               ///< false: an error where one is wanted

  /// True when input i has a gradient.
  bool has_gradient(size_t i) const { return gradient && !inputs[i].target; }

  /// Name in tests/golden/ops.
  std::string name() const { return label.empty() ? op : op + " " + label; }
};

/// Every case; at least one for each row of the op table.
const std::vector<OpCase>& op_cases();
/// Those among them of the ops over images.
std::vector<OpCase> image_cases();
/// Adds those of lstm, gru and rnn.
void add_recurrent_cases(std::vector<OpCase>& cases);

/// A call that breaks the contract of `op`.
struct ErrorCase {
  std::string op;
  std::string label;
  std::function<void()> run;
};
const std::vector<ErrorCase>& error_cases();
std::vector<ErrorCase> image_error_cases();

/// A tensor on test_device() of any dtype from f64 values, rounded to nearest, and back.
Tensor tensor_of(const std::vector<double>& values, const Shape& shape, DType dtype);
std::vector<double> values_of(const Tensor& tensor);
Tensor integers_of(const std::vector<int32_t>& values);

/// The dtype of an input in a run of `dtype`; `wide`: parameters stay f32.
DType input_dtype(const Input& input, DType dtype, bool wide);

/// Inputs of a case, the same on every call: normal numbers by counted randomness, one vector per input.
std::vector<std::vector<double>> random_inputs(const OpCase& op_case);

/// Result and gradients of `run`, as f64 numbers, and what they were stored as.
struct Outcome {
  std::vector<double> y;
  DType y_dtype = DType::f64;
  Shape y_shape;
  std::vector<std::vector<double>> gradients;  ///< empty for targets
  std::vector<DType> gradient_dtypes;
};
/// Runs forward and backward in `dtype`. `cotangent` empty: the one of cotangent().
Outcome run_case(const OpCase& op_case, const std::function<Tensor(const Tensors&)>& run,
                 const std::vector<std::vector<double>>& inputs, DType dtype, bool wide,
                 std::vector<double> cotangent = {});

/// The gradient given to a result of `count` elements: normal numbers.
std::vector<double> cotangent(int64_t count);

}  // namespace suanli::testing
