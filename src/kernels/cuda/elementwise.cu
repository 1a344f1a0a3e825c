// Dropout, sums and products, scales, casts: one thread for eight neighbours.
#include "kernels/elementwise.h"

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void drop(const Dropout& args) {
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  Compute<T> x[kElements], factors[kElements];
  load(static_cast<const T*>(args.x) + first, count, x);
  dropout_factors(args.dropout, static_cast<uint64_t>(first), factors);
#pragma unroll
  for (int e = 0; e < kElements; ++e) x[e] *= factors[e];
  store(static_cast<T*>(args.y) + first, count, x);
}

template <class T>
__device__ void combine(const BinaryForward& args) {
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  Compute<T> a[kElements], b[kElements];
  load(static_cast<const T*>(args.a) + first, count, a);
  load(static_cast<const T*>(args.b) + first, count, b);
#pragma unroll
  for (int e = 0; e < kElements; ++e) a[e] = args.kind == Binary::add ? a[e] + b[e] : a[e] * b[e];
  store(static_cast<T*>(args.y) + first, count, a);
}

template <class T>
__device__ void multiply(const Scale& args) {
  using C = Compute<T>;
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  const C factor = static_cast<C>(args.scalar) * (args.factor == nullptr ? C{1} : *static_cast<const C*>(args.factor));
  C x[kElements];
  load(static_cast<const T*>(args.x) + first, count, x);
#pragma unroll
  for (int e = 0; e < kElements; ++e) x[e] *= factor;
  store(static_cast<T*>(args.y) + first, count, x);
}

/// f64 to f32 with "round to odd": an inexact result gets its last bit set, so that the rounding to 16 bits that
/// follows gives what one rounding from f64 would (Boldo and Melquiond 2008).
__device__ float round_to_odd(double x) {
  const float truncated = __double2float_rz(x);
  if (static_cast<double>(truncated) == x || isnan(x)) return truncated;
  return __uint_as_float(__float_as_uint(truncated) | 1);
}

template <class From, class To>
__device__ void convert(const Cast& args) {
  const int64_t first = first_element(), count = args.count - first;
  if (count <= 0) return;
  Compute<From> x[kElements];
  Compute<To> y[kElements];
  load(static_cast<const From*>(args.x) + first, count, x);
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    if constexpr (std::is_same_v<From, double> && sizeof(To) == 2) {
      y[e] = round_to_odd(x[e]);
    } else {
      y[e] = static_cast<Compute<To>>(x[e]);
    }
  }
  store(static_cast<To*>(args.y) + first, count, y);
}

SUANLI_KERNELS(dropout, drop, Dropout, 256)
SUANLI_KERNELS(binary, combine, BinaryForward, 256)
SUANLI_KERNELS(scale, multiply, Scale, 256)

#define SUANLI_CAST(from, From)                                                                                        \
  extern "C" __global__ void __launch_bounds__(256) cast_##from##_f32(const Cast args) { convert<From, float>(args); } \
  extern "C" __global__ void __launch_bounds__(256) cast_##from##_bf16(const Cast args) {                              \
    convert<From, bfloat16>(args);                                                                                     \
  }                                                                                                                    \
  extern "C" __global__ void __launch_bounds__(256) cast_##from##_f16(const Cast args) {                               \
    convert<From, float16>(args);                                                                                      \
  }                                                                                                                    \
  extern "C" __global__ void __launch_bounds__(256) cast_##from##_f64(const Cast args) { convert<From, double>(args); }
SUANLI_CAST(f32, float)
SUANLI_CAST(bf16, bfloat16)
SUANLI_CAST(f16, float16)
SUANLI_CAST(f64, double)
#undef SUANLI_CAST

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(elementwise);

Grid grid_of(int64_t count) { return {.x = blocks_for(count, 256 * 8)}; }

void run_dropout(const Dropout& args, Stream& stream) {
  code.launch("dropout", args.dtype, grid_of(args.count), stream, args);
}
void run_binary(const BinaryForward& args, Stream& stream) {
  code.launch("binary", args.dtype, grid_of(args.count), stream, args);
}
void run_scale(const Scale& args, Stream& stream) {
  code.launch("scale", args.dtype, grid_of(args.count), stream, args);
}

const char* cast_from(DType from) {
  switch (from) {
    case DType::f32:
      return "cast_f32";
    case DType::bf16:
      return "cast_bf16";
    case DType::f16:
      return "cast_f16";
    default:
      return "cast_f64";
  }
}
void run_cast(const Cast& args, Stream& stream) {
  code.launch(cast_from(args.from), args.to, grid_of(args.count), stream, args);
}
Refusal can_cast(const Cast& args, const Machine&) {
  return is_floating(args.from) ? refuse_not_floating(args.to) : refuse_not_floating(args.from);
}

}  // namespace

void add_elementwise() {
  add(dropout, any_floating<Dropout>, run_dropout);
  add(binary, any_floating<BinaryForward>, run_binary);
  add(scale, any_floating<Scale>, run_scale);
  add(cast, can_cast, run_cast);
}

}  // namespace suanli::kernels::cuda

#endif
