// The cases of lstm, gru and rnn.
#include "cases.h"
#include "ops/arithmetic.h"
#include "ops/pooling.h"
#include "ops/recurrence.h"

namespace suanli::testing {

namespace {

using Recurrent = ops::RecurrentResult (*)(const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                                           const ops::RecurrentState&);
Tensor result_y(const ops::RecurrentResult& result, const Tensor&) { return result.y; }
/// The mean of y and the last states: the gradients of all results at once.
Tensor result_sum(const ops::RecurrentResult& result, const Tensor& offsets) {
  const Tensor sum = ops::add(ops::segment_mean(result.y, offsets), result.last.h);
  return result.last.c.defined() ? ops::add(sum, result.last.c) : sum;
}

/// Four sequences of unequal length, one of them empty; `directions` cells of three units with G gates.
OpCase recurrent_case(const char* op, const char* label, Recurrent run, int64_t G, int64_t directions, bool initial,
                      Tensor (*result)(const ops::RecurrentResult&, const Tensor&)) {
  const std::vector<int32_t> offsets = {0, 2, 2, 6, 9};
  const int64_t rows = directions * G * 3;
  OpCase out = {op,
                label,
                {{{9, rows}}, {{rows, 3}, 0.5, true}, {{rows}, 0.5, true}},
                {{"offsets", offsets}},
                [=](const Tensors& x) {
                  const ops::RecurrentState state = {x.size() > 3 ? x[3] : Tensor(), x.size() > 4 ? x[4] : Tensor()};
                  return result(run(x[0], x[1], x[2], integers_of(offsets), state), integers_of(offsets));
                },
                nullptr,
                9 * G * 3};
  if (initial) out.inputs.push_back({{4, directions * 3}});
  if (initial && G == 4) out.inputs.push_back({{4, directions * 3}});
  return out;
}

}  // namespace

void add_recurrent_cases(std::vector<OpCase>& cases) {
  const Recurrent rnn_tanh = [](const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                                const ops::RecurrentState& state) { return ops::rnn(x, weight, bias, offsets, state); };
  const Recurrent rnn_relu = [](const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                                const ops::RecurrentState& state) {
    return ops::rnn(x, weight, bias, offsets, state, true);
  };
  cases.push_back(recurrent_case("gru", "", &ops::gru, 3, 1, false, result_y));
  cases.push_back(recurrent_case("gru", "both directions", &ops::gru, 3, 2, true, result_sum));
  cases.push_back(recurrent_case("lstm", "", &ops::lstm, 4, 1, false, result_y));
  cases.push_back(recurrent_case("lstm", "both directions", &ops::lstm, 4, 2, true, result_sum));
  cases.push_back(recurrent_case("rnn", "", rnn_tanh, 1, 1, false, result_y));
  cases.push_back(recurrent_case("rnn", "both directions", rnn_tanh, 1, 2, true, result_sum));
  cases.push_back(recurrent_case("rnn", "relu", rnn_relu, 1, 2, true, result_y));
}

}  // namespace suanli::testing
