/// One time step of recurrent cells: from the pre-activations of the gates to new states, and back.
#pragma once

#include "kernels/registry.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

/// s is the logistic function, x the part of the input and u = W_hh h + b_hh that of the state before:
///   lstm   i, f, o = s(x + u), g = tanh(x + u);  c' = f c + i g;  h' = o tanh(c')       gates i f g o
///          (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; torch.nn.LSTM)
///   gru    r, z = s(x + u), n = tanh(x_n + r u_n);  h' = (1 - z) n + z h                gates r z n
///          (Cho et al. 2014, in the form of torch.nn.GRU: r scales the product and its bias)
///   rnn_tanh, rnn_relu   h' = tanh(x + u), max(x + u, 0)  (Elman 1990; torch.nn.RNN)
enum class Cell : uint8_t { lstm, gru, rnn_tanh, rnn_relu };

/// Pre-activations of one unit: rows of W_hh for each of the hidden size.
constexpr int64_t gate_count(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
/// Numbers that backward needs of one unit: i f g o; r z n u_n; h'.
constexpr int64_t kept_count(Cell cell) { return cell == Cell::lstm || cell == Cell::gru ? 4 : 1; }

/// A step of the `live` sequences that have a token at it; G = gate_count(cell), K = kept_count(cell), H = width.
/// Token tokens[i] of the batch is that of sequence i: its x stands at x + tokens[i] x_stride [G H], and its y, which
/// is h', goes to y + tokens[i] y_stride [H]. hidden [live, G H] is u. h [live,H] and, of an LSTM, c [live,H] hold the
/// states before and then those after. Kept for backward, or null: kept [live, K H], h_before, c_before [live,H].
/// x, h, y, kept, h_before of `dtype`; hidden, c, c_before f32 (f64 for f64).
struct RecurrentForward {
  const void* x;
  const int32_t* tokens;
  const void* hidden;
  void *h, *c, *y;
  void *kept, *h_before, *c_before;
  int64_t live, width, x_stride, y_stride;
  Cell cell;
  DType dtype;
};
inline Kernel<RecurrentForward> recurrent_forward{"recurrent.forward"};
Work work_of(const RecurrentForward& args);

/// The gradient of that step. dh, dc [live,H] f32 (f64) hold the gradients of the states after the step, without the
/// part of dy, and then those of the states before it, without the part that goes through u. dx (at tokens[i]
/// dx_stride) and dhidden [live, G H], of `dtype`, are the gradients of x and u, dy (at tokens[i] dy_stride) that of y.
struct RecurrentBackward {
  const void* dy;
  const int32_t* tokens;
  const void *kept, *h_before, *c_before;
  void *dh, *dc, *dx, *dhidden;
  int64_t live, width, dx_stride, dy_stride;
  Cell cell;
  DType dtype;
};
inline Kernel<RecurrentBackward> recurrent_backward{"recurrent.backward"};
Work work_of(const RecurrentBackward& args);

}  // namespace suanli::kernels
