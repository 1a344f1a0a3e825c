// Attention in f32: a block for up to 64 queries of a head; scores live in registers, probabilities in shared memory
// for the length of one product.
#include "kernels/cuda/attention_tiled.h"

#ifdef __CUDACC__

namespace suanli::kernels::cuda {

template <int D>
__device__ void attend(const AttentionForward& args) {
  constexpr int kRows = rows_of_block(D, 1), R = kRows / kGroups;
  extern __shared__ __align__(16) float shared[];
  float *const q_tile = shared, *const tile = q_tile + kRows * D, *const weights = tile + kTile * D;
  const Part part = part_of_block(args, kRows);
  if (part.empty()) return;
  const float *k = operand<float>(args, args.k, part), *v = operand<float>(args, args.v, part);
  fetch_rows<kRows, D, R>(q_tile, operand<float>(args, args.q, part), args.stride, part.first, part.end,
                          args.head_size);
  const int lane = threadIdx.x % kLanes;
  const int64_t query = part.first + threadIdx.x / kLanes * R;  // of this group, and the R - 1 that follow
  const int64_t end = part.end_of_keys(args.causal, part.first + kRows - 1);
  const float scale = static_cast<float>(args.scale);
  const auto larger = [](float a, float b) { return a < b ? b : a; };
  float sums[R][D / 32][4] = {}, largest[R], total[R] = {};
#pragma unroll
  for (int r = 0; r < R; ++r) largest[r] = -infinity<float>();
  for (int64_t start = part.begin; start < end; start += kTile) {
    fetch_rows<kTile, D, 4>(tile, k, args.stride, start, end, args.head_size);
    end_fetch();
    await_fetch<0>();
    float p[R][4];
    row_products<D, R>(p, q_tile, tile);
    __syncthreads();
    fetch_rows<kTile, D, 4>(tile, v, args.stride, start, end, args.head_size);
    end_fetch();
    const int64_t key = start + 4 * lane;  // of this lane, and the three that follow
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const int64_t end_of_row = part.end_of_keys(args.causal, query + r);
      float most = largest[r];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        p[r][j] = key + j < end_of_row ? p[r][j] * scale : -infinity<float>();
        most = larger(most, p[r][j]);
      }
      most = fold_lanes(most, larger);
      const float shrink = largest[r] == most ? 1.0F : expf(largest[r] - most);
      largest[r] = most;
      total[r] *= shrink;
#pragma unroll
      for (int i = 0; i < D / 32; ++i) {
#pragma unroll
        for (int c = 0; c < 4; ++c) sums[r][i][c] *= shrink;
      }
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        p[r][j] = key + j < end_of_row ? expf(p[r][j] - most) : 0.0F;
        total[r] += p[r][j];
      }
      if (args.dropout.probability > 0) {
        float factors[4];
        factors_of_keys(args, part, query + r, key, factors);
#pragma unroll
        for (int j = 0; j < 4; ++j) p[r][j] *= factors[j];
      }
    }
    keep_weights<R>(weights, p);
    await_fetch<0>();
    add_rows<D, R>(sums, weights, tile);
    __syncthreads();
  }
  float inverse[R];
#pragma unroll
  for (int r = 0; r < R; ++r) {
    total[r] = fold_lanes(total[r], [](float a, float b) { return a + b; });
    inverse[r] = 1.0F / total[r];
    if (args.lse != nullptr && lane == 0 && query + r < part.end) {
      static_cast<float*>(args.lse)[part.head * args.tokens + query + r] = largest[r] + logf(total[r]);
    }
  }
  store_rows<D, R>(static_cast<float*>(args.out) + part.head * args.head_size, args.heads * args.head_size, query,
                   part.end, args.head_size, sums, inverse);
}

#define SUANLI_TILED(D)                                                                                            \
  extern "C" __global__ void __launch_bounds__(kThreads, kBlocks) tiled_forward_##D(const AttentionForward args) { \
    attend<D>(args);                                                                                               \
  }
SUANLI_EACH_TILED(SUANLI_TILED)
#undef SUANLI_TILED

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(attention_tiled_forward);

Refusal can_run(const AttentionForward& args, const Machine&) {
  return refuse_tiled(args, aligned({args.q, args.k, args.v, args.out}));
}

void run(const AttentionForward& args, Stream& stream) {
  launch_tiled(code, {"tiled_forward_32", "tiled_forward_64", "tiled_forward_96", "tiled_forward_128"}, args, 1, args,
               stream);
}

}  // namespace

void add_attention_tiled_forward() { attention_forward.add({"tiled", DeviceType::cuda, can_run, run}); }

}  // namespace suanli::kernels::cuda

#endif
