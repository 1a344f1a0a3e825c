// The sums of a matrix product for what cuBLASLt refuses: tiles of 64 x 64 in shared memory, a thread for 4 x 4 sums;
// and bias, accumulation, activation, slope and factor for sums that are there.
#include "kernels/matmul.h"

namespace suanli::kernels::cuda {

constexpr int kTile = 64, kThreads = 256;  // a block makes kTile x kTile sums

/// A product and its sums [M,N] in the dtype of sums.
struct MatmulSums {
  Matmul args;
  void* sums;
  bool tf32 = false;  ///< of f32 operands
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"
#include "kernels/ref/activation.h"

namespace suanli::kernels::cuda {

constexpr int kDepth = 16;  // of K that a block holds at once
constexpr int kPatch = 4;   // a thread makes kPatch x kPatch sums

/// Eight elements of C from their sums.
template <class T, class TC>
__device__ void finish(const MatmulSums& product) {
  using C = Compute<T>;
  const Matmul& args = product.args;
  const int64_t first = first_element(), count = args.m * args.n - first;
  if (count <= 0) return;
  C x[kElements], other[kElements];
  load(static_cast<const C*>(product.sums) + first, count, x);
  if (args.bias != nullptr) {
    const MixedArray<T> bias{args.bias, args.bias_dtype != args.dtype};
    int64_t column = first % args.n;
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      x[e] += bias[column];
      if (++column == args.n) column = 0;
    }
  }
  if (args.accumulate) {
    load(static_cast<const TC*>(args.c) + first, count, other);
#pragma unroll
    for (int e = 0; e < kElements; ++e) x[e] += other[e];
  }
  if (args.epilogue.factor != nullptr) {
    load(static_cast<const TC*>(args.epilogue.factor) + first, count, other);
#pragma unroll
    for (int e = 0; e < kElements; ++e) x[e] *= other[e];
  }
  if (args.epilogue.at != nullptr) {
    load(static_cast<const TC*>(args.epilogue.at) + first, count, other);
#pragma unroll
    for (int e = 0; e < kElements; ++e) x[e] = ref::activation_gradient(*args.epilogue.activation, other[e], x[e]);
  } else if (args.epilogue.activation) {
    const Activation kind = *args.epilogue.activation;
    if (args.epilogue.sum != nullptr) store(static_cast<TC*>(args.epilogue.sum) + first, count, x);
    if (args.epilogue.slope != nullptr) {
#pragma unroll
      for (int e = 0; e < kElements; ++e) other[e] = ref::activation_gradient(kind, x[e], C{1});
      store(static_cast<TC*>(args.epilogue.slope) + first, count, other);
    }
#pragma unroll
    for (int e = 0; e < kElements; ++e) x[e] = ref::activate(kind, x[e]);
  }
  store(static_cast<TC*>(args.c) + first, count, x);
}

template <class T>
__device__ void finish_sums(const MatmulSums& product) {
  if (product.args.c_dtype == product.args.dtype) {
    finish<T, T>(product);
  } else {
    finish<T, Compute<T>>(product);
  }
}

/// x with 10 bits of fraction, as tensor cores read it.
__device__ inline float round_to_tf32(float x) {
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits);
}

template <class T>
__device__ void multiply(const MatmulSums& product) {
  using C = Compute<T>;
  const Matmul& args = product.args;
  __shared__ C a[kDepth][kTile + 1], b[kDepth][kTile + 1];
  const T *left = static_cast<const T*>(args.a), *right = static_cast<const T*>(args.b);
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTile;
  const int64_t first_column = static_cast<int64_t>(blockIdx.x) * kTile;
  const int row = threadIdx.x / 16 * kPatch, column = threadIdx.x % 16 * kPatch;
  C sums[kPatch][kPatch] = {};
  for (int64_t start = 0; start < args.k; start += kDepth) {
    for (int i = threadIdx.x; i < kTile * kDepth; i += kThreads) {
      // Neighbouring threads read neighbouring elements of the operand as it is stored.
      const int a_row = args.transpose_a ? i % kTile : i / kDepth, a_k = args.transpose_a ? i / kTile : i % kDepth;
      const int b_column = args.transpose_b ? i / kDepth : i % kTile, b_k = args.transpose_b ? i % kDepth : i / kTile;
      const int64_t m = first_row + a_row, n = first_column + b_column;
      const int64_t ka = start + a_k, kb = start + b_k;
      a[a_k][a_row] =
          m < args.m && ka < args.k ? widen(left[args.transpose_a ? ka * args.m + m : m * args.k + ka]) : C{0};
      b[b_k][b_column] =
          n < args.n && kb < args.k ? widen(right[args.transpose_b ? n * args.k + kb : kb * args.n + n]) : C{0};
    }
    if constexpr (std::is_same_v<T, float>) {
      if (product.tf32) {  // each thread what it wrote itself
        for (int i = threadIdx.x; i < kTile * kDepth; i += kThreads) {
          float& a_value = args.transpose_a ? a[i / kTile][i % kTile] : a[i % kDepth][i / kDepth];
          float& b_value = args.transpose_b ? b[i % kDepth][i / kDepth] : b[i / kTile][i % kTile];
          a_value = round_to_tf32(a_value);
          b_value = round_to_tf32(b_value);
        }
      }
    }
    __syncthreads();
    const int depth = static_cast<int>(min(static_cast<int64_t>(kDepth), args.k - start));
    for (int k = 0; k < depth; ++k) {
#pragma unroll
      for (int i = 0; i < kPatch; ++i) {
#pragma unroll
        for (int j = 0; j < kPatch; ++j) sums[i][j] += a[k][row + i] * b[k][column + j];
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kPatch; ++i) {
#pragma unroll
    for (int j = 0; j < kPatch; ++j) {
      const int64_t m = first_row + row + i, n = first_column + column + j;
      if (m < args.m && n < args.n) static_cast<C*>(product.sums)[m * args.n + n] = sums[i][j];
    }
  }
}

SUANLI_KERNELS(matmul_sums, multiply, MatmulSums, kThreads, 1)
SUANLI_KERNELS(matmul_finish, finish_sums, MatmulSums, kThreads)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/matmul_finish.h"
#include "kernels/elementwise.h"
#include "kernels/tf32.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(matmul);

Refusal can_run(const Matmul& args, const Machine&) { return refuse_matmul_dtypes(args); }

void run(const Matmul& args, Stream& stream) {
  if (args.m == 0 || args.n == 0) return sum_rows_of_a(args, stream);
  const SumsOfMatmul sums(args, stream);
  const MatmulSums product = {args, sums.memory(), tf32_allowed};
  code.launch("matmul_sums", args.dtype, {.x = blocks_for(args.n, kTile), .y = blocks_for(args.m, kTile)}, stream,
              product);
  sums.finish(stream);
}

}  // namespace

Refusal refuse_matmul_dtypes(const Matmul& args) {
  if (!is_mixed(args.dtype, args.c_dtype)) return "C is neither of dtype nor of the dtype of sums";
  if (args.bias != nullptr && !is_mixed(args.dtype, args.bias_dtype)) return "bias is neither of dtype nor of its sums";
  return refuse_not_floating(args.dtype);
}

SumsOfMatmul::SumsOfMatmul(const Matmul& args, Stream& stream)
    : args_(args), plain_(args.bias == nullptr && !args.accumulate && args.epilogue.empty()), memory_(args.c) {
  const DType sums = accumulation_dtype(args.dtype);
  if (args.c_dtype == sums && !args.accumulate) return;
  plain_ = false;
  memory_ = scratch_.emplace(stream, args.m * args.n * size_of(sums)).memory();
}

void sum_rows_of_a(const Matmul& args, Stream& stream) {
  if (args.row_sums == nullptr) return;
  const DType sum_dtype = accumulation_dtype(args.dtype);
  const auto sum_to = [&](void* sums) { column_sum({args.a, sums, args.k, args.m, args.dtype}, stream); };
  if (args.c_dtype == sum_dtype) return sum_to(args.row_sums);
  const Scratch sums(stream, args.m * size_of(sum_dtype));
  sum_to(sums.memory());
  cast({.x = sums.memory(), .y = args.row_sums, .count = args.m, .from = sum_dtype, .to = args.c_dtype}, stream);
}

void SumsOfMatmul::finish(Stream& stream) const {
  sum_rows_of_a(args_, stream);
  if (plain_) return;
  const MatmulSums product = {args_, memory_};
  code.launch("matmul_finish", args_.dtype, {.x = blocks_for(args_.m * args_.n, kThreads * 8)}, stream, product);
}

void add_matmul() {
  add_matmul_cublaslt();
  matmul.add({"tiled", DeviceType::cuda, can_run, run});
}

}  // namespace suanli::kernels::cuda

#endif
