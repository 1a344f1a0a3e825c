// 8-bit products for inference: rows to 8 bits, weights to their layout, and sums of four products at a time.
#include "kernels/quantized_matmul.h"

namespace suanli::kernels::cuda {

constexpr int kRowTile = 16;      ///< rows of A in a block
constexpr int kWarps = 4;         ///< squares of 32 columns in a block
constexpr int kQuadTile = 64;     ///< quads of K that a block holds of A at once
constexpr int kQuadsOfStep = 16;  ///< of QuantizedLayout

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/ref/activation.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void quantize(const QuantizeRows& args) {
  const int64_t start = static_cast<int64_t>(blockIdx.x) * args.width;
  const T* x = static_cast<const T*>(args.x) + start;
  float most = 0;
  int not_finite = 0;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    Compute<T> values[kElements];
    load(x + c, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const float size = fabsf(static_cast<float>(values[e]));
      not_finite |= !(size <= std::numeric_limits<float>::max());
      most = fmaxf(most, size);
    }
  });
  most = block_fold(most, 0.0F, [](float a, float b) { return fmaxf(a, b); });
  const bool finite = block_fold(not_finite, 0, [](int a, int b) { return a | b; }) == 0;
  const bool zero = !finite || most < 0x1p-100F;
  const float inverse = 127.0F / most;
  for_each_group(args.width, [&](int64_t c, int64_t count) {
    Compute<T> values[kElements];
    load(x + c, count, values);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const double exact = static_cast<double>(static_cast<float>(values[e])) * inverse;
      if (e < count) args.values[start + c + e] = zero ? int8_t{0} : static_cast<int8_t>(__double2int_rn(exact));
    }
  });
  if (threadIdx.x == 0) {
    args.scale[blockIdx.x] = !finite ? std::numeric_limits<float>::quiet_NaN() : zero ? 0.0F : most / 127.0F;
  }
}
SUANLI_KERNELS(quantize_rows, quantize, QuantizeRows, 256)

/// Four neighbouring bytes of which `count` exist, as one word; zeros fill it up.
__device__ inline int quad(const int8_t* bytes, int64_t count) {
  if (count >= 4 && reinterpret_cast<uintptr_t>(bytes) % 4 == 0) return *reinterpret_cast<const int*>(bytes);
  uint32_t word = 0;
  for (int i = 0; i < 4; ++i) {
    if (i < count) word |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << 8 * i;
  }
  return static_cast<int>(word);
}
__device__ inline void put_word(int8_t* bytes, int word) {
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<int8_t>(word >> 8 * i);
}

/// A warp for each row of the squares: its quads go to their places, their sum behind the square.
extern "C" __global__ void __launch_bounds__(128) pack_quantized(const PackQuantized args) {
  const QuantizedLayout layout{args.n, args.k};
  const int64_t row = static_cast<int64_t>(blockIdx.x) * 4 + threadIdx.x / 32;
  if (row >= layout.squares() * QuantizedLayout::kRows) return;
  int sum = 0;
  for (int64_t k = threadIdx.x % 32 * 4; k < layout.steps() * QuantizedLayout::kDepth; k += 128) {
    const int word = row < args.n ? quad(args.b + row * args.k + k, args.k - k) : 0;
    put_word(args.packed + layout.place(row, k), word);
    sum = __dp4a(word, 0x01010101, sum);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 != 0) return;
  int8_t* sums =
      args.packed + row / QuantizedLayout::kRows * layout.square_bytes() + layout.steps() * QuantizedLayout::kStep;
  put_word(sums + row % QuantizedLayout::kRows * 4, sum);
}

/// Block (four squares of columns, kRowTile rows): a lane for each column, which holds the sums of all rows.
template <class T>
__device__ void multiply(const QuantizedMatmul& args) {
  using C = Compute<T>;
  __shared__ __align__(16) int a[kRowTile][kQuadTile];
  __shared__ int all_sums[kRowTile][kWarps * 32];
  const QuantizedLayout layout{args.n, args.k};
  const int64_t square = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
  const int64_t column = square * QuantizedLayout::kRows + threadIdx.x % 32;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kRowTile;
  const int8_t* b =
      args.b + square * layout.square_bytes() + threadIdx.x % 32 / 16 * QuantizedLayout::kHalf + threadIdx.x % 16 * 4;
  const bool inside = square < layout.squares();
  const int64_t quads = layout.steps() * kQuadsOfStep;
  int sums[kRowTile] = {};
  for (int64_t start = 0; start < quads; start += kQuadTile) {
    __syncthreads();
    for (int i = threadIdx.x; i < kRowTile * kQuadTile; i += kWarps * 32) {
      const int64_t row = first_row + i / kQuadTile, k = (start + i % kQuadTile) * 4;
      a[i / kQuadTile][i % kQuadTile] = row < args.m && k < args.k ? quad(args.a + row * args.k + k, args.k - k) : 0;
    }
    __syncthreads();
    if (!inside) continue;
    const int count = static_cast<int>(min(static_cast<int64_t>(kQuadTile), quads - start));
    for (int q = 0; q < count; q += 4) {
      int words[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int64_t at = start + q + i;
        words[i] = quad(b + at / kQuadsOfStep * QuantizedLayout::kStep + at % kQuadsOfStep * 64, 4);
      }
#pragma unroll
      for (int row = 0; row < kRowTile; ++row) {
        const int4 four = *reinterpret_cast<const int4*>(&a[row][q]);
        sums[row] = __dp4a(four.x, words[0], sums[row]);
        sums[row] = __dp4a(four.y, words[1], sums[row]);
        sums[row] = __dp4a(four.z, words[2], sums[row]);
        sums[row] = __dp4a(four.w, words[3], sums[row]);
      }
    }
  }
  if (!inside || column >= args.n) return;
  const MixedArray<T> bias{args.bias, args.bias_dtype != args.dtype};
  const C shift = args.bias == nullptr ? C{0} : bias[column], scale = static_cast<C>(args.b_scale[column]);
#pragma unroll
  for (int row = 0; row < kRowTile; ++row) all_sums[row][threadIdx.x] = sums[row];
#pragma unroll 1  // the activation stands in the code once
  for (int row = 0; row < kRowTile && first_row + row < args.m; ++row) {
    C value =
        fma(static_cast<C>(all_sums[row][threadIdx.x]) * scale, static_cast<C>(args.a_scale[first_row + row]), shift);
    if (args.activation) value = ref::activate(*args.activation, value);
    static_cast<T*>(args.c)[(first_row + row) * args.n + column] = narrow<T>(value);
  }
}
SUANLI_KERNELS(quantized_matmul, multiply, QuantizedMatmul, kWarps * 32)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(quantized_matmul);

void run_quantize(const QuantizeRows& args, Stream& stream) {
  code.launch("quantize_rows", args.dtype, block_for_each_row(args.rows, args.width), stream, args);
}

void run_pack(const PackQuantized& args, Stream& stream) {
  const QuantizedLayout layout{args.n, args.k};
  code.launch("pack_quantized", {.x = layout.squares() * QuantizedLayout::kRows / 4, .threads = 128}, stream, args);
}

void run_multiply(const QuantizedMatmul& args, Stream& stream) {
  const int64_t squares = QuantizedLayout{args.n, args.k}.squares();
  code.launch("quantized_matmul", args.dtype,
              {.x = blocks_for(squares, kWarps), .y = blocks_for(args.m, kRowTile), .threads = kWarps * 32}, stream,
              args);
}

Refusal can_pack(const PackQuantized&, const Machine&) { return nullptr; }
Refusal can_multiply(const QuantizedMatmul& args, const Machine&) {
  if (args.k > kMostQuantizedDepth) return "sums over so large a K might not fit 32 bits";
  if (args.bias != nullptr && !is_mixed(args.dtype, args.bias_dtype)) return "bias is neither of dtype nor of its sums";
  return refuse_not_floating(args.dtype);
}

}  // namespace

void add_quantized_matmul() {
  add(quantize_rows, any_floating<QuantizeRows>, run_quantize);
  add(pack_quantized, can_pack, run_pack);
  add(quantized_matmul, can_multiply, run_multiply);
}

}  // namespace suanli::kernels::cuda

#endif
