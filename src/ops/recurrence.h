#pragma once

#include "kernels/recurrence.h"
#include "tensor/tensor.h"

namespace suanli::ops {

/// The states of B sequences: h and, of an LSTM, c, [B, D H] of x's dtype, those of both directions side by side.
/// Undefined at the begin of a sequence: 0.
struct RecurrentState {
  Tensor h = {}, c = {};
};

struct RecurrentResult {
  Tensor y;             ///< [T, D H] of x's dtype: h after each token
  RecurrentState last;  ///< after the last token in the direction of reading; an empty sequence keeps its state
};

/// One layer of recurrent cells over packed sequences (torch.nn.LSTM, GRU and RNN over packed sequences); formulas and
/// the order of gates are those of kernels::Cell, with G gates: 4, 3 or 1.
/// x [T, D G H] f32, bf16, f16 or f64: the part of the input, W_ih x + b_ih, which is an ordinary product over all
/// tokens; offsets [B+1] i32. weight [D G H, H] is W_hh and bias [D G H] b_hh, each of x's dtype, or f32 beside a
/// 16-bit x. D = 2: columns and rows [G H, 2 G H) belong to a second cell that reads each sequence from its end.
/// Each step is a product over the sequences that have a token at it: none of padding. Products and c are summed in f32
/// (f64), h is rounded to x's dtype after each step. Gradients: x, weight, bias, initial.h, initial.c, from those of y
/// and both last states. Keeps 2 + G to 6 arrays [T, D H]. Deterministic. Throws UserError when shapes, dtypes,
/// devices or offsets do not fit.
RecurrentResult lstm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                     const RecurrentState& initial = {});
RecurrentResult gru(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                    const RecurrentState& initial = {});
/// With tanh, or ReLU.
RecurrentResult rnn(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& offsets,
                    const RecurrentState& initial = {}, bool relu = false);

}  // namespace suanli::ops
