#include "kernels/ref/recurrence.h"

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

void run(const RecurrentForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t gates = gate_count(args.cell), kept_numbers = kept_count(args.cell), H = args.width;
    for (int64_t i = 0; i < args.live; ++i) {
      const T* x_row = in<T>(args.x) + args.tokens[i] * args.x_stride;
      const C* u_row = in<C>(args.hidden) + i * gates * H;
      for (int64_t j = 0; j < H; ++j) {
        C x[4] = {}, u[4] = {}, kept[4] = {};
        for (int64_t gate = 0; gate < gates; ++gate) {
          x[gate] = static_cast<C>(x_row[gate * H + j]);
          u[gate] = u_row[gate * H + j];
        }
        T& h = out<T>(args.h)[i * H + j];
        const UnitState<C> before = {static_cast<C>(h), args.c == nullptr ? C{0} : in<C>(args.c)[i * H + j]};
        const UnitState<C> after = unit_forward(args.cell, x, u, before, kept);
        if (args.kept != nullptr) {
          for (int64_t k = 0; k < kept_numbers; ++k) {
            out<T>(args.kept)[(i * kept_numbers + k) * H + j] = static_cast<T>(kept[k]);
          }
          out<T>(args.h_before)[i * H + j] = h;
          if (args.c != nullptr) out<C>(args.c_before)[i * H + j] = before.c;
        }
        h = static_cast<T>(after.h);
        if (args.c != nullptr) out<C>(args.c)[i * H + j] = after.c;
        out<T>(args.y)[args.tokens[i] * args.y_stride + j] = h;
      }
    }
  });
}

void run(const RecurrentBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const int64_t gates = gate_count(args.cell), kept_numbers = kept_count(args.cell), H = args.width;
    for (int64_t i = 0; i < args.live; ++i) {
      T* dx_row = out<T>(args.dx) + args.tokens[i] * args.dx_stride;
      T* du_row = out<T>(args.dhidden) + i * gates * H;
      for (int64_t j = 0; j < H; ++j) {
        const int64_t at = i * H + j;
        C kept[4] = {}, dx[4] = {}, du[4] = {};
        for (int64_t k = 0; k < kept_numbers; ++k) {
          kept[k] = static_cast<C>(in<T>(args.kept)[(i * kept_numbers + k) * H + j]);
        }
        const bool has_c = args.dc != nullptr;
        const UnitState<C> before = {static_cast<C>(in<T>(args.h_before)[at]), has_c ? in<C>(args.c_before)[at] : C{0}};
        const C dy = static_cast<C>(in<T>(args.dy)[args.tokens[i] * args.dy_stride + j]);
        const UnitState<C> d = {in<C>(args.dh)[at] + dy, has_c ? in<C>(args.dc)[at] : C{0}};
        const UnitState<C> result = unit_backward(args.cell, kept, before, d, dx, du);
        out<C>(args.dh)[at] = result.h;
        if (has_c) out<C>(args.dc)[at] = result.c;
        for (int64_t gate = 0; gate < gates; ++gate) {
          dx_row[gate * H + j] = static_cast<T>(dx[gate]);
          du_row[gate * H + j] = static_cast<T>(du[gate]);
        }
      }
    }
  });
}

}  // namespace suanli::kernels::ref
