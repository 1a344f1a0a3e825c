/// The device half of a .cu file: numbers and their arithmetic, eight elements at a time, sums over a warp or block,
/// and the counted randomness of dropout.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/dropout_key.h"
#include "tensor/dtype.h"

namespace suanli::kernels::cuda {

/// The arithmetic of element type T: f64 for f64, f32 for everything narrower.
template <class T>
using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;

__device__ inline float widen(float x) { return x; }
__device__ inline double widen(double x) { return x; }
__device__ inline float widen(bfloat16 x) { return __uint_as_float(uint32_t{x.bits} << 16); }
__device__ inline float widen(float16 x) {
  float out;
  asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(x.bits));
  return out;
}

/// Rounds to nearest even.
template <class T>
__device__ T narrow(Compute<T> x) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    bfloat16 out;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
    return out;
  } else if constexpr (std::is_same_v<T, float16>) {
    float16 out;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
    return out;
  } else {
    return x;
  }
}

template <class C>
__device__ constexpr C infinity() {
  return std::numeric_limits<C>::infinity();
}

/// Each thread of an element-wise kernel takes this many neighbours: two or one 128-bit accesses in f32 and 16 bits.
constexpr int kElements = 8;

/// The first element of this thread.
__device__ inline int64_t first_element() {
  return (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kElements;
}

__device__ inline bool is_aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

/// out[e] = x[e] for e < count, at most kElements, in 128-bit accesses where x lies on 16 bytes.
template <class T>
__device__ void load(const T* x, int64_t count, Compute<T> (&out)[kElements]) {
  if (count >= kElements && is_aligned(x)) {
    T raw[kElements];
    uint4 words[sizeof(raw) / 16];
#pragma unroll
    for (size_t w = 0; w < sizeof(raw) / 16; ++w) words[w] = reinterpret_cast<const uint4*>(x)[w];
    memcpy(raw, words, sizeof(raw));
#pragma unroll
    for (int e = 0; e < kElements; ++e) out[e] = widen(raw[e]);
  } else {
#pragma unroll
    for (int e = 0; e < kElements; ++e) out[e] = e < count ? widen(x[e]) : Compute<T>{0};
  }
}

/// y[e] = values[e], rounded, for e < count.
template <class T>
__device__ void store(T* y, int64_t count, const Compute<T> (&values)[kElements]) {
  if (count >= kElements && is_aligned(y)) {
    T raw[kElements];
#pragma unroll
    for (int e = 0; e < kElements; ++e) raw[e] = narrow<T>(values[e]);
    uint4 words[sizeof(raw) / 16];
    memcpy(words, raw, sizeof(raw));
#pragma unroll
    for (size_t w = 0; w < sizeof(raw) / 16; ++w) reinterpret_cast<uint4*>(y)[w] = words[w];
  } else {
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e < count) y[e] = narrow<T>(values[e]);
    }
  }
}

/// An array that holds elements of T or, where `wide`, of its compute type: weights and biases of mixed precision.
template <class T>
struct MixedArray {
  const void* data;
  bool wide;
  __device__ Compute<T> operator[](int64_t i) const {
    return wide ? static_cast<const Compute<T>*>(data)[i] : widen(static_cast<const T*>(data)[i]);
  }
  /// out[e] = element i + e for e < count, else 0.
  __device__ void load_from(int64_t i, int64_t count, Compute<T> (&out)[kElements]) const {
    if (wide) return load(static_cast<const Compute<T>*>(data) + i, count, out);
    load(static_cast<const T*>(data) + i, count, out);
  }
};

/// The place of dropout in the random stream, with the step that counts now.
__device__ inline RandomKey random_of(const DropoutKey& key) {
  RandomKey random = key.random;
  if (key.step_on_device != nullptr) random.step = __ldg(key.step_on_device);
  return random;
}

/// The dropout factors of the kElements elements from `first`.
template <class C>
__device__ void dropout_factors(const DropoutKey& key, uint64_t first, C (&factors)[kElements]) {
  const uint32_t threshold = dropout_threshold(key.probability), shift = first % 4;
  const float kept = 1.0F / (1.0F - key.probability);
  uint32_t words[kElements + 4];
#pragma unroll
  for (int quad = 0; quad <= kElements / 4; ++quad) {
    if (quad == kElements / 4 && shift == 0) break;
    const auto four = philox(random_of(key), first / 4 + quad);
#pragma unroll
    for (int i = 0; i < 4; ++i) words[4 * quad + i] = four[i];
  }
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    const uint32_t word = shift == 0 ? words[e] : shift == 1 ? words[e + 1] : shift == 2 ? words[e + 2] : words[e + 3];
    factors[e] = word >= threshold ? kept : 0.0F;
  }
}

/// The dropout factor of one element.
__device__ inline float dropout_factor_of(const DropoutKey& key, uint64_t element) {
  const auto four = philox(random_of(key), element / 4);
  const uint32_t place = element % 4;
  const uint32_t word = place == 0 ? four[0] : place == 1 ? four[1] : place == 2 ? four[2] : four[3];
  return word >= dropout_threshold(key.probability) ? 1.0F / (1.0F - key.probability) : 0.0F;
}

/// Calls f(column, columns left) for the groups of kElements columns of a row that this thread of its block takes.
template <class F>
__device__ void for_each_group(int64_t width, F&& f) {
  for (int64_t c = threadIdx.x * kElements; c < width; c += blockDim.x * kElements) f(c, width - c);
}

/// Folds a value of every lane; all lanes get the result, the same bits in each.
template <class C, class F>
__device__ C warp_fold(C value, F fold) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    value = fold(value, __shfl_xor_sync(0xffffffffU, value, distance));
  }
  return value;
}
template <class C>
__device__ C warp_sum(C value) {
  return warp_fold(value, [](C a, C b) { return a + b; });
}

/// Folds a value of every thread of a block of whole warps, in an order that depends on the block's size alone; all
/// threads get the result.
template <class C, class F>
__device__ C block_fold(C value, C neutral, F fold) {
  __shared__ C warps[32];
  value = warp_fold(value, fold);
  if (blockDim.x <= 32) return value;
  __syncthreads();  // a former use of `warps` is over
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  return warp_fold(threadIdx.x % 32 < blockDim.x / 32 ? warps[threadIdx.x % 32] : neutral, fold);
}
template <class C>
__device__ C block_sum(C value) {
  return block_fold(value, C{0}, [](C a, C b) { return a + b; });
}

}  // namespace suanli::kernels::cuda

/// Defines the kernels op_f32, op_bf16, op_f16 and op_f64 of the template `body`<T>(args) with these launch bounds: the
/// most threads of a block and, where registers should not be saved for more of them at the price of spills, 1 block.
#define SUANLI_KERNELS(op, body, Args, ...)                                                                  \
  extern "C" __global__ void __launch_bounds__(__VA_ARGS__) op##_f32(const Args args) { body<float>(args); } \
  extern "C" __global__ void __launch_bounds__(__VA_ARGS__) op##_bf16(const Args args) {                     \
    body<::suanli::bfloat16>(args);                                                                          \
  }                                                                                                          \
  extern "C" __global__ void __launch_bounds__(__VA_ARGS__) op##_f16(const Args args) {                      \
    body<::suanli::float16>(args);                                                                           \
  }                                                                                                          \
  extern "C" __global__ void __launch_bounds__(__VA_ARGS__) op##_f64(const Args args) { body<double>(args); }
