// One time step of every recurrent cell, forward and backward: widths, live sequences, gathers, what is kept and what
// not.
#include "kernels/recurrence.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::Cell;
using kernels::RecurrentBackward;
using kernels::RecurrentForward;

struct Step {
  Cell cell;
  int64_t live, width, directions;
};

std::vector<Step> steps() {
  std::vector<Step> out;
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    for (const int64_t width : {1, 7, 16, 33, 130}) out.push_back({cell, width == 130 ? 70 : 5, width, 1 + width % 2});
    out.push_back({cell, 0, 8, 1});
  }
  return out;
}

std::string label(const Step& s) {
  return "cell " + std::to_string(static_cast<int>(s.cell)) + ", " + std::to_string(s.live) + "x" +
         std::to_string(s.width);
}

/// Tokens in falling order, with a gap between each two: none is its place.
Values tokens_of(const Step& s) {
  Values tokens;
  for (int64_t i = 0; i < s.live; ++i) tokens.push_back(static_cast<double>(2 * (s.live - 1 - i) + 1));
  return tokens;
}

/// Gates lie within -1..1 and have slopes of at most 1: the error of one is that of its function and of its sum, and
/// h, c and their gradients are sums of at most three products of such numbers with a state.
Bound step_bound(double size) {
  return [size](size_t, const std::vector<Values>&, DType dtype) {
    return 4 * function_error(sum_dtype(dtype), size) + smallest_step(dtype);
  };
}

// Arrays: 0 x, 1 tokens, 2 hidden, 3 h, 4 c, 5 y, 6 kept, 7 h_before, 8 c_before; h and c hold the states before.
Problem<RecurrentForward> forward_problem(const Step& s, bool keep) {
  const int64_t G = kernels::gate_count(s.cell), K = kernels::kept_count(s.cell), states = s.live * s.width;
  const int64_t rows = 2 * s.live, x_stride = s.directions * G * s.width, y_stride = s.directions * s.width;
  const bool has_c = s.cell == Cell::lstm;
  const double size = s.cell == Cell::rnn_relu ? 8 : 4;
  Problem<RecurrentForward> problem;
  problem.label = label(s) + (keep ? " kept" : "");
  const auto kept = [&](const char* name, int64_t count, Kind kind = Kind::data) {
    return keep ? Array::output(name, count, step_bound(size), kind) : Array::absent(name);
  };
  problem.arrays = {Array::input("x", normal(rows * x_stride, 80)),
                    Array::input("tokens", tokens_of(s), Kind::index),
                    Array::input("hidden", normal(s.live * G * s.width, 81), Kind::statistic),
                    Array::output("h", states, step_bound(size)),
                    has_c ? Array::output("c", states, step_bound(size), Kind::statistic) : Array::absent("c"),
                    Array::output("y", rows * y_stride, step_bound(size)),
                    kept("kept", s.live * K * s.width),
                    kept("h_before", states),
                    has_c ? kept("c_before", states, Kind::statistic) : Array::absent("c_before")};
  problem.arrays[3].values = normal(states, 82, 0.5);
  if (has_c) problem.arrays[4].values = normal(states, 83);
  problem.args = [=](DType dtype, const Pointers& p) {
    return RecurrentForward{p[0],     static_cast<const int32_t*>(p[1]),
                            p[2],     p[3],
                            p[4],     p[5],
                            p[6],     p[7],
                            p[8],     s.live,
                            s.width,  x_stride,
                            y_stride, s.cell,
                            dtype};
  };
  return problem;
}

TEST(RecurrentForward, EveryCellAndWidth) {
  for (const Step& step : steps()) {
    for (const bool keep : {false, true}) check_all(kernels::recurrent_forward, forward_problem(step, keep));
  }
}

// Arrays: 0 dy, 1 tokens, 2 kept, 3 h_before, 4 c_before, 5 dh, 6 dc, 7 dx, 8 dhidden.
Problem<RecurrentBackward> backward_problem(const Step& s) {
  const int64_t G = kernels::gate_count(s.cell), K = kernels::kept_count(s.cell), states = s.live * s.width;
  const int64_t rows = 2 * s.live, dx_stride = s.directions * G * s.width, dy_stride = s.directions * s.width;
  const bool has_c = s.cell == Cell::lstm;
  Problem<RecurrentBackward> problem;
  problem.label = label(s);
  Values kept = normal(s.live * K * s.width, 84);
  for (double& value : kept) value = 1 / (1 + std::exp(-value));
  if (s.cell == Cell::rnn_relu) {
    for (double& value : kept) value = std::max(value - 0.5, 0.0);  // half of the units are at rest
  }
  const Bound bound = step_bound(16);  // products of up to three numbers of size 3
  problem.arrays = {Array::input("dy", normal(rows * dy_stride, 85)),
                    Array::input("tokens", tokens_of(s), Kind::index),
                    Array::input("kept", kept),
                    Array::input("h_before", normal(states, 86, 0.5)),
                    has_c ? Array::input("c_before", normal(states, 87), Kind::statistic) : Array::absent("c_before"),
                    Array::output("dh", states, bound, Kind::statistic),
                    has_c ? Array::output("dc", states, bound, Kind::statistic) : Array::absent("dc"),
                    Array::output("dx", rows * dx_stride, bound),
                    Array::output("dhidden", s.live * G * s.width, bound)};
  problem.arrays[5].values = normal(states, 88);
  if (has_c) problem.arrays[6].values = normal(states, 89);
  problem.args = [=](DType dtype, const Pointers& p) {
    return RecurrentBackward{p[0],      static_cast<const int32_t*>(p[1]),
                             p[2],      p[3],
                             p[4],      p[5],
                             p[6],      p[7],
                             p[8],      s.live,
                             s.width,   dx_stride,
                             dy_stride, s.cell,
                             dtype};
  };
  return problem;
}

TEST(RecurrentBackward, EveryCellAndWidth) {
  for (const Step& step : steps()) check_all(kernels::recurrent_backward, backward_problem(step));
}

}  // namespace
}  // namespace suanli::testing
