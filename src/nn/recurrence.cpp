#include "nn/recurrence.h"

#include <cmath>

#include "ops/linear.h"

namespace suanli::nn {

namespace {

ops::RecurrentResult run_cell(Cell cell, const Tensor& x, const Tensor& weight, const Tensor& bias,
                              const Tensor& offsets, const ops::RecurrentState& initial) {
  if (cell == Cell::lstm) return ops::lstm(x, weight, bias, offsets, initial);
  if (cell == Cell::gru) return ops::gru(x, weight, bias, offsets, initial);
  return ops::rnn(x, weight, bias, offsets, initial, cell == Cell::rnn_relu);
}

}  // namespace

Recurrence::Recurrence(ParameterScope scope, const RecurrenceOptions& o) : cell_(o.cell) {
  const Initializer initial = uniform(1.0 / std::sqrt(static_cast<double>(o.hidden)));
  const int64_t rows = o.directions() * kernels::gate_count(o.cell) * o.hidden;
  for (int64_t layer = 0; layer < o.layers; ++layer) {
    const std::string ending = "_l" + std::to_string(layer);
    const int64_t in = layer == 0 ? o.input : o.directions() * o.hidden;
    layers_.push_back({.weight_ih = scope.get("weight_ih" + ending, {rows, in}, initial),
                       .weight_hh = scope.get("weight_hh" + ending, {rows, o.hidden}, initial),
                       .bias_ih = scope.get("bias_ih" + ending, {rows}, initial),
                       .bias_hh = scope.get("bias_hh" + ending, {rows}, initial),
                       .dropout = {layer == 0 ? 0.0F : o.dropout, scope.next_site()}});
  }
}

Recurrence::Output Recurrence::operator()(const Tensor& x, const Tensor& offsets, const Mode& mode,
                                          const std::vector<ops::RecurrentState>& initial) const {
  if (!initial.empty() && initial.size() != layers_.size()) {
    throw UserError("recurrence", "expected a state for each of " + std::to_string(layers_.size()) + " layers, got " +
                                      std::to_string(initial.size()));
  }
  Output out = {x, {}};
  for (size_t k = 0; k < layers_.size(); ++k) {
    const Layer& layer = layers_[k];
    const Tensor input = ops::linear(layer.dropout(out.y, mode), layer.weight_ih, layer.bias_ih);
    const ops::RecurrentResult result = run_cell(cell_, input, layer.weight_hh, layer.bias_hh, offsets,
                                                 initial.empty() ? ops::RecurrentState() : initial[k]);
    out.y = result.y;
    out.last.push_back(result.last);
  }
  return out;
}

}  // namespace suanli::nn
