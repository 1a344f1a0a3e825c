/// One unit of a recurrent cell as its definition says, in f32 or f64; constexpr, so that CUDA's compiler takes it for
/// the device as well.
#pragma once

#include "kernels/recurrence.h"
#include "kernels/ref/activation.h"

namespace suanli::kernels::ref {

/// The states of one unit, or their gradients.
template <class C>
struct UnitState {
  C h, c;
};

/// The state after a step from the pre-activations x and u of its gates; `kept` is what unit_backward() reads.
template <class C>
constexpr UnitState<C> unit_forward(Cell cell, const C (&x)[4], const C (&u)[4], UnitState<C> before, C (&kept)[4]) {
  switch (cell) {
    case Cell::lstm: {
      const C i = sigmoid(x[0] + u[0]), f = sigmoid(x[1] + u[1]), g = std::tanh(x[2] + u[2]), o = sigmoid(x[3] + u[3]);
      kept[0] = i, kept[1] = f, kept[2] = g, kept[3] = o;
      const C c = f * before.c + i * g;
      return {o * std::tanh(c), c};
    }
    case Cell::gru: {
      const C r = sigmoid(x[0] + u[0]), z = sigmoid(x[1] + u[1]), n = std::tanh(x[2] + r * u[2]);
      kept[0] = r, kept[1] = z, kept[2] = n, kept[3] = u[2];
      return {(1 - z) * n + z * before.h, 0};
    }
    case Cell::rnn_tanh:
      kept[0] = std::tanh(x[0] + u[0]);
      break;
    case Cell::rnn_relu:
      kept[0] = activate(Activation::relu, x[0] + u[0]);
      break;
  }
  return {kept[0], 0};
}

/// `d` holds the gradients of the states after; the result those of the states before, without the part through u.
template <class C>
constexpr UnitState<C> unit_backward(Cell cell, const C (&kept)[4], UnitState<C> before, UnitState<C> d, C (&dx)[4],
                                     C (&du)[4]) {
  UnitState<C> result = {0, 0};
  switch (cell) {
    case Cell::lstm: {
      const C i = kept[0], f = kept[1], g = kept[2], o = kept[3];
      const C t = std::tanh(f * before.c + i * g);
      const C dc = d.c + d.h * o * (1 - t * t);
      dx[0] = dc * g * i * (1 - i);
      dx[1] = dc * before.c * f * (1 - f);
      dx[2] = dc * i * (1 - g * g);
      dx[3] = d.h * t * o * (1 - o);
      result.c = dc * f;
      break;
    }
    case Cell::gru: {
      const C r = kept[0], z = kept[1], n = kept[2], u = kept[3];
      dx[2] = d.h * (1 - z) * (1 - n * n);
      dx[0] = dx[2] * u * r * (1 - r);
      dx[1] = d.h * (before.h - n) * z * (1 - z);
      result.h = d.h * z;
      break;
    }
    case Cell::rnn_tanh:
      dx[0] = d.h * (1 - kept[0] * kept[0]);
      break;
    case Cell::rnn_relu:
      dx[0] = kept[0] <= 0 ? 0 : d.h;
      break;
  }
  for (int gate = 0; gate < 4; ++gate) du[gate] = dx[gate];
  if (cell == Cell::gru) du[2] *= kept[0];
  return result;
}

}  // namespace suanli::kernels::ref
