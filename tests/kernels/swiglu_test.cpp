// The gated unit: values and gradients.
#include "kernels/swiglu.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::SwigluBackward;
using kernels::SwigluForward;

struct SwigluShape {
  int64_t rows, width;
};
const std::vector<SwigluShape> kShapes = {{0, 4}, {1, 1}, {3, 7}, {5, 16}, {4, 17}, {2, 33}, {3, 172}, {2, 1537}};

double roundings(DType dtype) { return 2 * function_error(sum_dtype(dtype), 1) + 6 * unit_roundoff(sum_dtype(dtype)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Arrays: 0 x, 1 y.
Problem<SwigluForward> forward_problem(const SwigluShape& s) {
  const auto bound = [](size_t i, const std::vector<Values>& v, DType dtype) {
    return std::abs(v[1][i]) * roundings(dtype);
  };
  return {std::to_string(s.rows) + "x" + std::to_string(s.width),
          {Array::input("x", normal(s.rows * 2 * s.width, 70, 3)), Array::output("y", s.rows * s.width, bound)},
          [=](DType dtype, const Pointers& p) {
            return SwigluForward{p[0], p[1], s.rows, s.width, dtype};
          }};
}

// Arrays: 0 dy, 1 x, 2 dx.
Problem<SwigluBackward> backward_problem(const SwigluShape& s, bool in_place) {
  // dgate = dy u s (1 + g (1 - s)), whose bracket may cancel; dup = dy g s.
  const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    const auto row = static_cast<int64_t>(i) / (2 * s.width), column = static_cast<int64_t>(i) % (2 * s.width);
    const auto x = [&](int64_t c) { return v[1][static_cast<size_t>(row * 2 * s.width + c)]; };
    const double dy = v[0][static_cast<size_t>(row * s.width + column % s.width)], g = x(column % s.width);
    const double factor = column < s.width ? x(s.width + column) * (1 + std::abs(g)) : g;
    return std::abs(dy * sigmoid(g) * factor) * 2 * roundings(dtype);
  };
  Array dx = Array::output("dx", s.rows * 2 * s.width, bound);
  return {std::to_string(s.rows) + "x" + std::to_string(s.width) + (in_place ? " in place" : ""),
          {Array::input("dy", normal(s.rows * s.width, 71)), Array::input("x", normal(s.rows * 2 * s.width, 72, 3)),
           in_place ? std::move(dx).over(1) : std::move(dx)},
          [=](DType dtype, const Pointers& p) { return SwigluBackward{p[0], p[1], p[2], s.rows, s.width, dtype}; }};
}

TEST(Swiglu, EveryShape) {
  for (const SwigluShape& shape : kShapes) {
    check_all(kernels::swiglu_forward, forward_problem(shape));
    check_all(kernels::swiglu_backward, backward_problem(shape, false));
    if (::testing::Test::HasFailure()) return;
  }
  check_all(kernels::swiglu_backward, backward_problem({3, 33}, true));
}

TEST(Swiglu, LargeGatesOpenAndCloseWithoutOverflow) {
  auto problem = forward_problem({1, 4});
  problem.arrays[0].values = {300, -60, 0, -0.0, 1, 2, 3, 4};
  for (const DType dtype : {DType::f32, DType::bf16, DType::f64}) check(kernels::swiglu_forward, problem, dtype);
}

}  // namespace
}  // namespace suanli::testing
