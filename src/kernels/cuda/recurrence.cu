// A time step of recurrent cells: a thread for each unit of each sequence.
#include "kernels/recurrence.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/ref/recurrence.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void step_forward(const RecurrentForward& args) {
  using C = Compute<T>;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, H = args.width;
  if (at >= args.live * H) return;
  const int64_t i = at / H, j = at % H, token = args.tokens[i];
  const int gates = gate_count(args.cell), kept_numbers = kept_count(args.cell);
  C x[4] = {}, u[4] = {}, kept[4] = {};
#pragma unroll
  for (int gate = 0; gate < 4; ++gate) {
    if (gate >= gates) continue;
    x[gate] = widen(static_cast<const T*>(args.x)[token * args.x_stride + gate * H + j]);
    u[gate] = static_cast<const C*>(args.hidden)[(i * gates + gate) * H + j];
  }
  T& h = static_cast<T*>(args.h)[at];
  const T h_before = h;
  const ref::UnitState<C> before = {widen(h_before), args.c == nullptr ? C{0} : static_cast<const C*>(args.c)[at]};
  const ref::UnitState<C> after = ref::unit_forward(args.cell, x, u, before, kept);
  if (args.kept != nullptr) {
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (k < kept_numbers) static_cast<T*>(args.kept)[(i * kept_numbers + k) * H + j] = narrow<T>(kept[k]);
    }
    static_cast<T*>(args.h_before)[at] = h_before;
    if (args.c != nullptr) static_cast<C*>(args.c_before)[at] = before.c;
  }
  if (args.c != nullptr) static_cast<C*>(args.c)[at] = after.c;
  h = narrow<T>(after.h);
  static_cast<T*>(args.y)[token * args.y_stride + j] = narrow<T>(after.h);
}

template <class T>
__device__ void step_backward(const RecurrentBackward& args) {
  using C = Compute<T>;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, H = args.width;
  if (at >= args.live * H) return;
  const int64_t i = at / H, j = at % H, token = args.tokens[i];
  const int gates = gate_count(args.cell), kept_numbers = kept_count(args.cell);
  const bool has_c = args.dc != nullptr;
  C kept[4] = {}, dx[4] = {}, du[4] = {};
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (k < kept_numbers) kept[k] = widen(static_cast<const T*>(args.kept)[(i * kept_numbers + k) * H + j]);
  }
  const ref::UnitState<C> before = {widen(static_cast<const T*>(args.h_before)[at]),
                                    has_c ? static_cast<const C*>(args.c_before)[at] : C{0}};
  const C dy = widen(static_cast<const T*>(args.dy)[token * args.dy_stride + j]);
  const ref::UnitState<C> d = {static_cast<const C*>(args.dh)[at] + dy,
                               has_c ? static_cast<const C*>(args.dc)[at] : C{0}};
  const ref::UnitState<C> result = ref::unit_backward(args.cell, kept, before, d, dx, du);
  static_cast<C*>(args.dh)[at] = result.h;
  if (has_c) static_cast<C*>(args.dc)[at] = result.c;
#pragma unroll
  for (int gate = 0; gate < 4; ++gate) {
    if (gate >= gates) continue;
    static_cast<T*>(args.dx)[token * args.dx_stride + gate * H + j] = narrow<T>(dx[gate]);
    static_cast<T*>(args.dhidden)[(i * gates + gate) * H + j] = narrow<T>(du[gate]);
  }
}

SUANLI_KERNELS(recurrent_forward, step_forward, RecurrentForward, 256)
SUANLI_KERNELS(recurrent_backward, step_backward, RecurrentBackward, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(recurrence);

void run_forward(const RecurrentForward& args, Stream& stream) {
  code.launch("recurrent_forward", args.dtype, {.x = blocks_for(args.live * args.width, 256)}, stream, args);
}
void run_backward(const RecurrentBackward& args, Stream& stream) {
  code.launch("recurrent_backward", args.dtype, {.x = blocks_for(args.live * args.width, 256)}, stream, args);
}

}  // namespace

void add_recurrence() {
  add(recurrent_forward, any_floating<RecurrentForward>, run_forward);
  add(recurrent_backward, any_floating<RecurrentBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
