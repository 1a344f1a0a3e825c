// 8-bit products for inference: rows to 8 bits, weights to their layout, and products on tensor cores.
#include "kernels/quantized_matmul.h"

namespace suanli::kernels::cuda {

constexpr int kRowTile = 64;  ///< rows of A in a block
constexpr int kWarps = 4;     ///< squares of 32 columns in a block

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/ref/activation.h"

namespace suanli::kernels::cuda {

constexpr int kQuadTile = 64;          // quads of K that a block holds of A at once
constexpr int kPitch = kQuadTile + 4;  // so that the rows of a fragment lie on different banks
constexpr int kQuadsOfStep = 16;       // of QuantizedLayout
constexpr int kColumns = kWarps * 32;

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

/// c [16,8] += a [16,32] b [32,8], sums in i32 (PTX ISA, mma.m16n8k32). A quad is four neighbours in K. Lane l gives of
/// a the rows l / 4 and l / 4 + 8 at quad l % 4, then both at quad l % 4 + 4; of b column l / 4 at these quads; and
/// holds of c the rows l / 4 and l / 4 + 8 in the columns l % 4 * 2 and the next.
__device__ inline void multiply_add(int (&c)[4], const int (&a)[4], const int (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Block (four squares of columns, kRowTile rows): a warp for each square, whose quads it reads as the layout has them.
template <class T>
__device__ void multiply(const QuantizedMatmul& args) {
  using C = Compute<T>;
  __shared__ int
      shared[kRowTile * kColumns];  // a part of A [kRowTile, kPitch]; in the end the sums [kRowTile, kColumns]
  const QuantizedLayout layout{args.n, args.k};
  const int lane = threadIdx.x % 32, group = lane / 4, place = lane % 4;
  const int64_t square = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kRowTile, quads = layout.steps() * kQuadsOfStep;
  const int8_t* b = args.b + square * layout.square_bytes();
  const bool inside = square < layout.squares();
  int sums[kRowTile / 16][4][4] = {};
  for (int64_t start = 0; start < quads; start += kQuadTile) {
    __syncthreads();
    for (int i = threadIdx.x; i < kRowTile * kQuadTile; i += kColumns) {
      const int64_t row = first_row + i / kQuadTile, k = (start + i % kQuadTile) * 4;
      shared[i / kQuadTile * kPitch + i % kQuadTile] =
          row < args.m && k < args.k ? quad(args.a + row * args.k + k, args.k - k) : 0;
    }
    __syncthreads();
    if (!inside) continue;
    const int count = static_cast<int>(min(static_cast<int64_t>(kQuadTile), quads - start));
    for (int q = 0; q < count; q += 8) {
      int right[4][2];
#pragma unroll
      for (int n = 0; n < 4; ++n) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int64_t at = start + q + place + 4 * half;
          right[n][half] = quad(b + at / kQuadsOfStep * QuantizedLayout::kStep + n / 2 * QuantizedLayout::kHalf +
                                    at % kQuadsOfStep * 64 + (n % 2 * 8 + group) * 4,
                                4);
        }
      }
#pragma unroll
      for (int m = 0; m < kRowTile / 16; ++m) {
        const int* upper = shared + (m * 16 + group) * kPitch + q + place;
        const int left[4] = {upper[0], upper[8 * kPitch], upper[4], upper[8 * kPitch + 4]};
#pragma unroll
        for (int n = 0; n < 4; ++n) multiply_add(sums[m][n], left, right[n]);
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int m = 0; m < kRowTile / 16; ++m) {
#pragma unroll
    for (int n = 0; n < 4; ++n) {
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        shared[(m * 16 + group + c / 2 * 8) * kColumns + threadIdx.x / 32 * 32 + n * 8 + place * 2 + c % 2] =
            sums[m][n][c];
      }
    }
  }
  __syncthreads();
  const int64_t column = square * QuantizedLayout::kRows + lane;
  if (column >= args.n) return;
  const MixedArray<T> bias{args.bias, args.bias_dtype != args.dtype};
  const C shift = args.bias == nullptr ? C{0} : bias[column], scale = static_cast<C>(args.b_scale[column]);
#pragma unroll 1  // the activation stands in the code once
  for (int row = 0; row < kRowTile && first_row + row < args.m; ++row) {
    C value = fma(static_cast<C>(shared[row * kColumns + threadIdx.x]) * scale,
                  static_cast<C>(args.a_scale[first_row + row]), shift);
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
