// Attention on tensor cores for 16-bit operands: a block for 64 queries of a head; scores live in registers alone.
#include "kernels/cuda/attention_flash.h"

namespace suanli::kernels::cuda {

constexpr int kKeys = 64;  // of a tile

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

namespace suanli::kernels::cuda {

template <class T, int D>
__device__ void attend(const AttentionForward& args) {
  extern __shared__ __align__(128) unsigned char shared[];
  const Part part = part_of_block(args, kRows);
  if (part.empty()) return;
  const uint32_t q_tile = shared_address(shared), k_tile = q_tile + kRows * D * 2, v_tile = k_tile + kKeys * D * 2;
  const T *k = operand<T>(args, args.k, part), *v = operand<T>(args, args.v, part);
  fetch<kRows, D, kThreads>(q_tile, operand<T>(args, args.q, part), args.stride, part.first, part.end);
  const int64_t end = part.end_of_keys(args.causal, part.first + kRows - 1);
  fetch<kKeys, D, kThreads>(k_tile, k, args.stride, part.begin, end);
  end_fetch();
  fetch<kKeys, D, kThreads>(v_tile, v, args.stride, part.begin, end);
  end_fetch();

  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16;
  const int64_t query = part.first + row + lane / 4;  // and the one 8 rows on
  const int64_t end_of_row[2] = {part.end_of_keys(args.causal, query), part.end_of_keys(args.causal, query + 8)};
  const float scale = static_cast<float>(args.scale) * kLog2E;  // scores to the base of 2
  const float kept_factor = 1.0F / (1.0F - args.dropout.probability);
  const auto larger = [](float a, float b) { return a < b ? b : a; };
  float sums[D / 8][4] = {}, largest[2] = {-infinity<float>(), -infinity<float>()}, total[2] = {};
  for (int64_t key = part.begin; key < end; key += kKeys) {
    await_fetch<1>();  // of the keys; the values may be under way
    float p[kKeys / 8][4] = {};
    multiply_rows<T, D, kKeys / 8>(p, q_tile, row, k_tile);
    __syncthreads();
    if (key + kKeys < end) fetch<kKeys, D, kThreads>(k_tile, k, args.stride, key + kKeys, end);
    end_fetch();

    float most[2] = {largest[0], largest[1]};
#pragma unroll
    for (int block = 0; block < kKeys / 8; ++block) {
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const bool inside = key + block * 8 + lane % 4 * 2 + c % 2 < end_of_row[c / 2];
        p[block][c] = inside ? p[block][c] * scale : -infinity<float>();
        most[c / 2] = larger(most[c / 2], p[block][c]);
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      most[half] = fold_quad(most[half], larger);
      const float shrink = exp2f(largest[half] - most[half]);
      largest[half] = most[half];
      total[half] *= shrink;
#pragma unroll
      for (int block = 0; block < D / 8; ++block) {
        sums[block][2 * half] *= shrink;
        sums[block][2 * half + 1] *= shrink;
      }
    }
#pragma unroll
    for (int block = 0; block < kKeys / 8; ++block) {
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        p[block][c] = exp2f(p[block][c] - most[c / 2]);
        total[c / 2] += p[block][c];
      }
      if (args.dropout.probability > 0) {
        const uint32_t kept = kept_of_queries(args, part, part.first + row, key + block * 8);
#pragma unroll
        for (int c = 0; c < 4; ++c) p[block][c] = (kept >> c & 1) != 0 ? p[block][c] * kept_factor : 0.0F;
      }
    }
    await_fetch<1>();  // of the values; the next keys may be under way
    multiply_weights<T, D, kKeys / 8>(sums, p, v_tile);
    __syncthreads();
    if (key + kKeys < end) fetch<kKeys, D, kThreads>(v_tile, v, args.stride, key + kKeys, end);
    end_fetch();
  }

  float inverse[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    total[half] = fold_quad(total[half], [](float a, float b) { return a + b; });
    inverse[half] = 1.0F / total[half];
    const int64_t token = query + 8 * half;
    if (args.lse != nullptr && lane % 4 == 0 && token < part.end) {
      static_cast<float*>(args.lse)[part.head * args.tokens + token] = (largest[half] + log2f(total[half])) * kLn2;
    }
  }
  store_rows<T, D>(static_cast<T*>(args.out) + part.head * D, args.heads * D, part.first + row, part.end, sums,
                   inverse);
}

#define SUANLI_FLASH(D, dtype, T)                                                                                   \
  extern "C" __global__ void __launch_bounds__(kThreads) flash_forward_##D##_##dtype(const AttentionForward args) { \
    attend<T, D>(args);                                                                                             \
  }
SUANLI_EACH_FLASH(SUANLI_FLASH)
#undef SUANLI_FLASH

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(attention_flash_forward);

constexpr FlashNames kForward = SUANLI_FLASH_NAMES("flash_forward");

Refusal can_run(const AttentionForward& args, const Machine&) {
  return refuse_flash(args, kForward, aligned({args.q, args.k, args.v, args.out}));
}

void run(const AttentionForward& args, Stream& stream) {
  const Grid grid = grid_of_parts(args, kRows, kThreads, (kRows + 2 * kKeys) * args.head_size * 2);
  code.launch(kForward.name(args.head_size), args.dtype, grid, stream, args);
}

}  // namespace

void add_attention_flash_forward() { attention_forward.add({"flash", DeviceType::cuda, can_run, run}); }

}  // namespace suanli::kernels::cuda

#endif
