#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/recurrence.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/math-inl.h"
#include "kernels/recurrence.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

HWY_INLINE Vector one_minus(Vector x) { return hn::Sub(constant(1.0F), x); }
/// y (1 - y), the slope of the logistic function where its value is y.
HWY_INLINE Vector sigmoid_slope(Vector y) { return hn::NegMulAdd(y, y, y); }
/// 1 - y^2, that of tanh.
HWY_INLINE Vector tanh_slope(Vector y) { return hn::NegMulAdd(y, y, constant(1.0F)); }

/// The rows of one sequence in a step, H apart where a row holds a number for each gate.
template <class T>
struct ForwardRow {
  const T* x;
  const float* u;
  T *h, *y, *kept, *h_before;
  float *c, *c_before;

  ForwardRow(const RecurrentForward& a, int64_t i)
      : x(static_cast<const T*>(a.x) + a.tokens[i] * a.x_stride),
        u(static_cast<const float*>(a.hidden) + i * gate_count(a.cell) * a.width),
        h(static_cast<T*>(a.h) + i * a.width),
        y(static_cast<T*>(a.y) + a.tokens[i] * a.y_stride),
        kept(a.kept == nullptr ? nullptr : static_cast<T*>(a.kept) + i * kept_count(a.cell) * a.width),
        h_before(kept == nullptr ? nullptr : static_cast<T*>(a.h_before) + i * a.width),
        c(a.c == nullptr ? nullptr : static_cast<float*>(a.c) + i * a.width),
        c_before(kept == nullptr || c == nullptr ? nullptr : static_cast<float*>(a.c_before) + i * a.width) {}

  /// x + u of one gate.
  HWY_INLINE Vector gate(int64_t at, int64_t n) const { return hn::Add(load(x + at, n), load(u + at, n)); }
};

template <Cell kCell, class T>
void forward_as(const RecurrentForward& a, int64_t begin, int64_t end) {
  const int64_t H = a.width;
  for (int64_t i = begin; i < end; ++i) {
    const ForwardRow<T> row(a, i);
    each_vector(H, [&](int64_t j, int64_t n) SUANLI_INLINE {
      Vector h, kept[4];
      const Vector before = load(row.h + j, n);
      if constexpr (kCell == Cell::lstm) {
        const Vector in = sigmoid(row.gate(j, n)), forget = sigmoid(row.gate(H + j, n));
        const Vector g = tanh(row.gate(2 * H + j, n)), o = sigmoid(row.gate(3 * H + j, n));
        const Vector c_before = load(row.c + j, n), c = hn::MulAdd(forget, c_before, hn::Mul(in, g));
        h = hn::Mul(o, tanh(c));
        kept[0] = in, kept[1] = forget, kept[2] = g, kept[3] = o;
        store(c, row.c + j, n);
        if (row.kept != nullptr) store(c_before, row.c_before + j, n);
      } else if constexpr (kCell == Cell::gru) {
        const Vector r = sigmoid(row.gate(j, n)), z = sigmoid(row.gate(H + j, n)), u = load(row.u + 2 * H + j, n);
        const Vector candidate = tanh(hn::MulAdd(r, u, load(row.x + 2 * H + j, n)));
        h = hn::MulAdd(z, before, hn::Mul(one_minus(z), candidate));
        kept[0] = r, kept[1] = z, kept[2] = candidate, kept[3] = u;
      } else {
        const Vector sum = row.gate(j, n);
        // Written so that NaN stays NaN.
        h = kCell == Cell::rnn_tanh ? tanh(sum) : hn::IfThenZeroElse(hn::Lt(sum, hn::Zero(F32())), sum);
        kept[0] = h;
      }
      if (row.kept != nullptr) {
        for (int64_t k = 0; k < kept_count(kCell); ++k) store(kept[k], row.kept + k * H + j, n);
        store(before, row.h_before + j, n);
      }
      store(h, row.h + j, n);
      store(h, row.y + j, n);
    });
  }
}

template <Cell kCell, class T>
void backward_as(const RecurrentBackward& a, int64_t begin, int64_t end) {
  const int64_t H = a.width, gates = gate_count(kCell);
  for (int64_t i = begin; i < end; ++i) {
    const T* dy = static_cast<const T*>(a.dy) + a.tokens[i] * a.dy_stride;
    const T* kept = static_cast<const T*>(a.kept) + i * kept_count(kCell) * H;
    const T* h_before = static_cast<const T*>(a.h_before) + i * H;
    float* dh_row = static_cast<float*>(a.dh) + i * H;
    T *dx = static_cast<T*>(a.dx) + a.tokens[i] * a.dx_stride, *du = static_cast<T*>(a.dhidden) + i * gates * H;
    each_vector(H, [&](int64_t j, int64_t n) SUANLI_INLINE {
      const Vector dh = hn::Add(load(dh_row + j, n), load(dy + j, n));
      Vector d[4], through = hn::Zero(F32());
      const auto was = [&](int64_t k) SUANLI_INLINE { return load(kept + k * H + j, n); };
      if constexpr (kCell == Cell::lstm) {
        const Vector in = was(0), forget = was(1), g = was(2), o = was(3);
        const Vector before = load(static_cast<const float*>(a.c_before) + i * H + j, n);
        const Vector t = tanh(hn::MulAdd(forget, before, hn::Mul(in, g)));
        float* dc_row = static_cast<float*>(a.dc) + i * H;
        const Vector dc = hn::MulAdd(hn::Mul(dh, o), tanh_slope(t), load(dc_row + j, n));
        d[0] = hn::Mul(hn::Mul(dc, g), sigmoid_slope(in));
        d[1] = hn::Mul(hn::Mul(dc, before), sigmoid_slope(forget));
        d[2] = hn::Mul(hn::Mul(dc, in), tanh_slope(g));
        d[3] = hn::Mul(hn::Mul(dh, t), sigmoid_slope(o));
        store(hn::Mul(dc, forget), dc_row + j, n);
      } else if constexpr (kCell == Cell::gru) {
        const Vector r = was(0), z = was(1), candidate = was(2), u = was(3);
        d[2] = hn::Mul(hn::Mul(dh, one_minus(z)), tanh_slope(candidate));
        d[0] = hn::Mul(hn::Mul(d[2], u), sigmoid_slope(r));
        d[1] = hn::Mul(hn::Mul(dh, hn::Sub(load(h_before + j, n), candidate)), sigmoid_slope(z));
        through = hn::Mul(dh, z);
      } else if constexpr (kCell == Cell::rnn_tanh) {
        d[0] = hn::Mul(dh, tanh_slope(was(0)));
      } else {
        d[0] = hn::IfThenZeroElse(hn::Le(was(0), hn::Zero(F32())), dh);
      }
      store(through, dh_row + j, n);
      for (int64_t gate = 0; gate < gates; ++gate) store(d[gate], dx + gate * H + j, n);
      if constexpr (kCell == Cell::gru) d[2] = hn::Mul(d[2], was(0));
      for (int64_t gate = 0; gate < gates; ++gate) store(d[gate], du + gate * H + j, n);
    });
  }
}

template <Cell kCell>
void forward_cell(const RecurrentForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? forward_as<kCell, float>(a, begin, end) : forward_as<kCell, bfloat16>(a, begin, end);
}
void recurrent_forward_rows(const RecurrentForward& a, int64_t begin, int64_t end) {
  switch (a.cell) {
    case Cell::lstm:
      return forward_cell<Cell::lstm>(a, begin, end);
    case Cell::gru:
      return forward_cell<Cell::gru>(a, begin, end);
    case Cell::rnn_tanh:
      return forward_cell<Cell::rnn_tanh>(a, begin, end);
    case Cell::rnn_relu:
      return forward_cell<Cell::rnn_relu>(a, begin, end);
  }
}

template <Cell kCell>
void backward_cell(const RecurrentBackward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? backward_as<kCell, float>(a, begin, end) : backward_as<kCell, bfloat16>(a, begin, end);
}
void recurrent_backward_rows(const RecurrentBackward& a, int64_t begin, int64_t end) {
  switch (a.cell) {
    case Cell::lstm:
      return backward_cell<Cell::lstm>(a, begin, end);
    case Cell::gru:
      return backward_cell<Cell::gru>(a, begin, end);
    case Cell::rnn_tanh:
      return backward_cell<Cell::rnn_tanh>(a, begin, end);
    case Cell::rnn_relu:
      return backward_cell<Cell::rnn_relu>(a, begin, end);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(recurrent_forward_rows);
HWY_EXPORT(recurrent_backward_rows);

void add_recurrence() {
  recurrent_forward.add({"simd", DeviceType::cpu,
                         [](const RecurrentForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                         [](const RecurrentForward& a, Stream&) {
                           parallel_for(a.live, 4096 / (a.width + 1), [&](int64_t begin, int64_t end) {
                             HWY_DYNAMIC_DISPATCH(recurrent_forward_rows)(a, begin, end);
                           });
                         }});
  recurrent_backward.add({"simd", DeviceType::cpu,
                          [](const RecurrentBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                          [](const RecurrentBackward& a, Stream&) {
                            parallel_for(a.live, 4096 / (a.width + 1), [&](int64_t begin, int64_t end) {
                              HWY_DYNAMIC_DISPATCH(recurrent_backward_rows)(a, begin, end);
                            });
                          }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
