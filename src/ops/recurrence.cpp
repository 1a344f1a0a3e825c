#include "ops/recurrence.h"

#include "autograd/tape.h"
#include "kernels/embedding.h"
#include "kernels/matmul.h"
#include "ops/cast.h"
#include "ops/check.h"
#include "ops/product.h"
#include "ops/recurrence_schedule.h"

namespace suanli::ops {

namespace {

using kernels::Cell;

/// Row i of the result is row rows[i] of x, seen as rows of `width`; of `shape`.
Tensor state_rows(const Tensor& x, const Tensor& rows, int64_t width, const Shape& shape) {
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  kernels::embedding_forward({x.data(), static_cast<const int32_t*>(rows.data()), y.data(), rows.dim(0), rows.dim(0),
                              width, x.dtype(), x.dtype()},
                             stream_of(x));
  return y;
}

/// Element `element` of a tensor, null of an undefined one.
void* element_of(const Tensor& tensor, int64_t element) {
  return tensor.defined() ? static_cast<std::byte*>(tensor.data()) + element * size_of(tensor.dtype()) : nullptr;
}

/// One layer over one batch; the letters of the header.
struct Layer {
  const char* op;
  Cell cell;
  DType dtype;
  Device device;
  int64_t T, B, H, D, G;
  RecurrenceSchedule schedule;

  Shape of_states() const { return {D * B, H}; }
  Tensor empty(Shape shape, DType type) const { return Tensor::empty(shape, type, device); }
  Tensor zeros(Shape shape, DType type) const { return Tensor::zeros(shape, type, device); }
  const int32_t* tokens(int64_t d, int64_t step) const {
    return static_cast<const int32_t*>(schedule.tokens.data()) + d * T + schedule.begins[static_cast<size_t>(step)];
  }
  /// Where the rows of a step begin in an array [D T, ...].
  int64_t row(int64_t d, int64_t step) const { return d * T + schedule.begins[static_cast<size_t>(step)]; }

  /// A state [B, D H], or zeros, in the order of the schedule.
  Tensor begin(const Tensor& state, DType type) const {
    return state.defined() ? cast(state_rows(detach(state), schedule.sorted, H, of_states()), type)
                           : zeros(of_states(), type);
  }
  /// Back to [B, D H].
  Tensor end(const Tensor& state) const { return cast(state_rows(state, schedule.original, H, {B, D * H}), dtype); }

  /// W_hh of each direction as one product after another reads it: a CPU's kernels may pack what is constant.
  std::vector<Tensor> weights(const Tensor& weight) const {
    std::vector<Tensor> out;
    for (int64_t d = 0; d < D; ++d) {
      Tensor part = weight.rows(d * G * H, (d + 1) * G * H);
      if (device == Device{} && part.forms() == nullptr) {
        part = part.clone();
        part.make_constant();
      }
      out.push_back(part);
    }
    return out;
  }
};

/// What forward leaves for backward, step after step of each direction.
struct Kept {
  Tensor gates;     ///< [D T, K H]
  Tensor h_before;  ///< [D T, H]
  Tensor c_before;  ///< [D T, H], of an LSTM
};

/// The gradients of the last states, which arrive before that of y.
struct LastGradients {
  Tensor h, c;
};

void run_forward(const Layer& layer, const Tensor& x, const std::vector<Tensor>& weights, const Tensor& bias,
                 const Tensor& h, const Tensor& c, const Kept& kept, const Tensor& y) {
  const int64_t H = layer.H, GH = layer.G * H;
  const Tensor hidden = layer.empty({layer.B, GH}, accumulation_dtype(layer.dtype));
  for (int64_t d = 0; d < layer.D; ++d) {
    const Tensor& weight = weights[static_cast<size_t>(d)];
    for (int64_t step = 0; step < layer.schedule.steps(); ++step) {
      const int64_t row = layer.row(d, step);
      kernels::matmul({.a = element_of(h, d * layer.B * H),
                       .b = weight.data(),
                       .bias = element_of(bias, d * GH),
                       .c = hidden.data(),
                       .m = layer.schedule.live(step),
                       .n = GH,
                       .k = H,
                       .transpose_a = false,
                       .transpose_b = true,
                       .accumulate = false,
                       .dtype = layer.dtype,
                       .c_dtype = hidden.dtype(),
                       .bias_dtype = bias.dtype(),
                       .b_forms = weight.forms()},
                      stream_of(x));
      kernels::recurrent_forward({.x = element_of(x, d * GH),
                                  .tokens = layer.tokens(d, step),
                                  .hidden = hidden.data(),
                                  .h = element_of(h, d * layer.B * H),
                                  .c = element_of(c, d * layer.B * H),
                                  .y = element_of(y, d * H),
                                  .kept = element_of(kept.gates, row * kernels::kept_count(layer.cell) * H),
                                  .h_before = element_of(kept.h_before, row * H),
                                  .c_before = element_of(kept.c_before, row * H),
                                  .live = layer.schedule.live(step),
                                  .width = H,
                                  .x_stride = layer.D * GH,
                                  .y_stride = layer.D * H,
                                  .cell = layer.cell,
                                  .dtype = layer.dtype},
                                 stream_of(x));
    }
  }
}

/// dx, and dhidden [D T, G H] step after step; dh and dc go from the gradients of the last states to those of the
/// first.
void run_backward(const Layer& layer, const Tensor& dy, const std::vector<Tensor>& weights, const Kept& kept,
                  const Tensor& dh, const Tensor& dc, const Tensor& dx, const Tensor& dhidden) {
  const int64_t H = layer.H, GH = layer.G * H;
  for (int64_t d = 0; d < layer.D; ++d) {
    const Tensor& weight = weights[static_cast<size_t>(d)];
    for (int64_t step = layer.schedule.steps() - 1; step >= 0; --step) {
      const int64_t row = layer.row(d, step);
      kernels::recurrent_backward({.dy = element_of(dy, d * H),
                                   .tokens = layer.tokens(d, step),
                                   .kept = element_of(kept.gates, row * kernels::kept_count(layer.cell) * H),
                                   .h_before = element_of(kept.h_before, row * H),
                                   .c_before = element_of(kept.c_before, row * H),
                                   .dh = element_of(dh, d * layer.B * H),
                                   .dc = element_of(dc, d * layer.B * H),
                                   .dx = element_of(dx, d * GH),
                                   .dhidden = element_of(dhidden, row * GH),
                                   .live = layer.schedule.live(step),
                                   .width = H,
                                   .dx_stride = layer.D * GH,
                                   .dy_stride = layer.D * H,
                                   .cell = layer.cell,
                                   .dtype = layer.dtype},
                                  stream_of(dy));
      kernels::matmul({.a = element_of(dhidden, row * GH),
                       .b = weight.data(),
                       .bias = nullptr,
                       .c = element_of(dh, d * layer.B * H),
                       .m = layer.schedule.live(step),
                       .n = H,
                       .k = GH,
                       .transpose_a = false,
                       .transpose_b = false,
                       .accumulate = true,
                       .dtype = layer.dtype,
                       .c_dtype = dh.dtype(),
                       .bias_dtype = dh.dtype(),
                       .b_forms = weight.forms()},
                      stream_of(dy));
    }
  }
}

void check_state(const Layer& layer, const char* name, const Tensor& state, const Tensor& x) {
  if (!state.defined()) return;
  check_shape(layer.op, name, state, {layer.B, layer.D * layer.H});
  check_dtype(layer.op, name, state, layer.dtype);
  check_device(layer.op, x, state);
}

Layer make_layer(const char* op, Cell cell, const Tensor& x, const Tensor& weight, const Tensor& bias,
                 const Tensor& offsets, const RecurrentState& initial) {
  check_tensor(op, "x", x, 2, kFloating);
  const DType dtype = x.dtype(), wide = accumulation_dtype(dtype);
  check_tensor(op, "weight", weight, 2, {dtype, wide});
  const int64_t G = kernels::gate_count(cell), rows = weight.dim(0), H = weight.dim(1);
  if (H < 1 || (rows != G * H && rows != 2 * G * H)) {
    throw UserError(op, "expected weight [D G H, H] with G = " + std::to_string(G) + " gates and D = 1 or 2, got " +
                            weight.shape().text());
  }
  check_shape(op, "x", x, {x.dim(0), rows});
  check_tensor(op, "bias", bias, 1, {dtype, wide});
  check_shape(op, "bias", bias, {rows});
  check_device(op, x, weight);
  check_device(op, x, bias);
  const SequenceLengths lengths = check_offsets(op, offsets, x.dim(0));
  const int64_t D = rows / (G * H);
  Layer layer = {op,       cell,
                 dtype,    x.device(),
                 x.dim(0), offsets.dim(0) - 1,
                 H,        D,
                 G,        make_recurrence_schedule(offsets, lengths.longest, D, x)};
  check_state(layer, "initial.h", initial.h, x);
  check_state(layer, "initial.c", initial.c, x);
  if (cell != Cell::lstm && initial.c.defined()) throw UserError(op, "expected no initial.c, which an LSTM alone has");
  return layer;
}

/// dW_hh and db_hh of all steps at once.
Tensor weight_gradient_of(const Layer& layer, const Tensor& dhidden, const Tensor& h_before, DType dtype) {
  Tensor dweight = layer.empty({layer.D * layer.G * layer.H, layer.H}, dtype);
  for (int64_t d = 0; d < layer.D; ++d) {
    Tensor part = dweight.rows(d * layer.G * layer.H, (d + 1) * layer.G * layer.H);
    const int64_t first = d * layer.T;
    product(dhidden.rows(first, first + layer.T), true, h_before.rows(first, first + layer.T), false, {}, part);
  }
  return dweight;
}
Tensor bias_gradient_of(const Layer& layer, const Tensor& dhidden, DType dtype) {
  Tensor dbias = layer.empty({layer.D * layer.G * layer.H}, dtype);
  for (int64_t d = 0; d < layer.D; ++d) {
    dbias.rows(d * layer.G * layer.H, (d + 1) * layer.G * layer.H)
        .copy_from(bias_gradient(dhidden.rows(d * layer.T, (d + 1) * layer.T), dtype));
  }
  return dbias;
}

/// Puts a last state on the tape behind y: its gradient waits in `place` for the rule of y, which runs later.
void record_last(const char* op, Tensor& state, const Tensor& y, const std::shared_ptr<LastGradients>& gradients,
                 Tensor LastGradients::*place) {
  record(op, state, {y}, [gradients, place, shape = y.shape(), dtype = y.dtype()](const Tensor& dstate) {
    (*gradients).*place = dstate;
    return std::vector<Tensor>{Tensor::zeros(shape, dtype, dstate.device())};
  });
}

RecurrentResult recurrent_layer(const char* op, Cell cell, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                const Tensor& offsets, const RecurrentState& initial) {
  const Layer layer = make_layer(op, cell, x, weight, bias, offsets, initial);
  const DType wide = accumulation_dtype(layer.dtype);
  const bool lstm = cell == Cell::lstm, want_weight = wants_gradient(weight), want_bias = wants_gradient(bias);
  const bool want_h = initial.h.defined() && wants_gradient(initial.h);
  const bool want_c = initial.c.defined() && wants_gradient(initial.c);

  Kept kept;
  if (wants_gradient(x) || want_weight || want_bias || want_h || want_c) {
    kept.gates = layer.empty({layer.D * layer.T, kernels::kept_count(cell) * layer.H}, layer.dtype);
    kept.h_before = layer.empty({layer.D * layer.T, layer.H}, layer.dtype);
    if (lstm) kept.c_before = layer.empty({layer.D * layer.T, layer.H}, wide);
  }
  const Tensor w = cast(detach(weight), layer.dtype);
  const Tensor h = layer.begin(initial.h, layer.dtype), c = lstm ? layer.begin(initial.c, wide) : Tensor();
  RecurrentResult result = {layer.empty({layer.T, layer.D * layer.H}, layer.dtype), {}};
  run_forward(layer, x, layer.weights(w), bias, h, c, kept, result.y);
  result.last.h = layer.end(h);
  if (lstm) result.last.c = layer.end(c);

  const auto last = std::make_shared<LastGradients>();
  record(op, result.y, {x, weight, bias, initial.h, initial.c},
         [layer, w, kept, last, want_weight, want_bias, want_h, want_c, wide, lstm, weight_dtype = weight.dtype(),
          bias_dtype = bias.dtype()](const Tensor& dy) {
           const Tensor dh = layer.begin(last->h, wide), dc = lstm ? layer.begin(last->c, wide) : Tensor();
           const Tensor dx = layer.empty({layer.T, layer.D * layer.G * layer.H}, layer.dtype);
           const Tensor dhidden = layer.empty({layer.D * layer.T, layer.G * layer.H}, layer.dtype);
           run_backward(layer, dy, layer.weights(w), kept, dh, dc, dx, dhidden);
           return std::vector<Tensor>{
               dx, want_weight ? weight_gradient_of(layer, dhidden, kept.h_before, weight_dtype) : Tensor(),
               want_bias ? bias_gradient_of(layer, dhidden, bias_dtype) : Tensor(), want_h ? layer.end(dh) : Tensor(),
               want_c ? layer.end(dc) : Tensor()};
         });
  record_last(op, result.last.h, result.y, last, &LastGradients::h);
  if (lstm) record_last(op, result.last.c, result.y, last, &LastGradients::c);
  return result;
}

}  // namespace

RecurrentResult lstm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                     const RecurrentState& initial) {
  return recurrent_layer("lstm", Cell::lstm, x, weight, bias, offsets, initial);
}

RecurrentResult gru(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                    const RecurrentState& initial) {
  return recurrent_layer("gru", Cell::gru, x, weight, bias, offsets, initial);
}

RecurrentResult rnn(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                    const RecurrentState& initial, bool relu) {
  return recurrent_layer("rnn", relu ? Cell::rnn_relu : Cell::rnn_tanh, x, weight, bias, offsets, initial);
}

}  // namespace suanli::ops
