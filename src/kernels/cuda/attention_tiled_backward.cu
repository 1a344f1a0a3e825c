// The gradients of attention in f32: a block for up to 64 queries of a head, or keys, so that each gradient is summed
// by one block, in one order.
#include "kernels/cuda/attention_tiled.h"

namespace suanli::kernels::cuda {

/// The launch: delta [heads, tokens] = dout . out.
struct TiledGradient {
  AttentionBackward args;
  const float* delta;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

namespace suanli::kernels::cuda {

/// dq of a block's queries: over the keys, P = exp(S - lse), dS = P (f dP - delta), dq = scale sum dS k.
template <int D>
__device__ void gradient_of_queries(const TiledGradient& gradient) {
  constexpr int kRows = rows_of_block(D, 2), R = kRows / kGroups;
  extern __shared__ __align__(16) float shared[];
  float *const q_tile = shared, *const dout_tile = q_tile + kRows * D, *const tile = dout_tile + kRows * D;
  float* const weights = tile + kTile * D;
  const AttentionBackward& args = gradient.args;
  const Part part = part_of_block(args, kRows);
  if (part.empty()) return;
  const int64_t size = args.head_size;
  const float *k = operand<float>(args, args.k, part), *v = operand<float>(args, args.v, part);
  fetch_rows<kRows, D, R>(q_tile, operand<float>(args, args.q, part), args.stride, part.first, part.end, size);
  fetch_rows<kRows, D, R>(dout_tile, operand<float>(args, args.dout, part), args.heads * size, part.first, part.end,
                          size);
  const int64_t query = part.first + threadIdx.x / kLanes * R;  // of this group, and the R - 1 that follow
  const int64_t end = part.end_of_keys(args.causal, part.first + kRows - 1);
  const float scale = static_cast<float>(args.scale);
  float sums[R][D / 32][4] = {}, lse[R] = {}, delta[R] = {}, factor_of_rows[R];
#pragma unroll
  for (int r = 0; r < R; ++r) {
    factor_of_rows[r] = scale;
    if (query + r >= part.end) continue;
    lse[r] = static_cast<const float*>(args.lse)[part.head * args.tokens + query + r];
    delta[r] = gradient.delta[part.head * args.tokens + query + r];
  }
  for (int64_t start = part.begin; start < end; start += kTile) {
    fetch_rows<kTile, D, 4>(tile, v, args.stride, start, end, size);
    end_fetch();
    await_fetch<0>();
    float dp[R][4], p[R][4];
    row_products<D, R>(dp, dout_tile, tile);
    __syncthreads();
    fetch_rows<kTile, D, 4>(tile, k, args.stride, start, end, size);
    end_fetch();
    await_fetch<0>();
    row_products<D, R>(p, q_tile, tile);
    const int64_t key = start + threadIdx.x % kLanes * 4;
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const int64_t end_of_row = part.end_of_keys(args.causal, query + r);
      float factors[4] = {1, 1, 1, 1};
      if (args.dropout.probability > 0) factors_of_keys(args, part, query + r, key, factors);
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        p[r][j] = key + j < end_of_row ? expf(p[r][j] * scale - lse[r]) * (factors[j] * dp[r][j] - delta[r]) : 0.0F;
      }
    }
    keep_weights<R>(weights, p);
    add_rows<D, R>(sums, weights, tile);
    __syncthreads();
  }
  store_rows<D, R>(static_cast<float*>(args.dq) + part.head * size, args.stride, query, part.end, size, sums,
                   factor_of_rows);
}

/// dk and dv of a block's keys, over the queries: dv = sum (f P) dout, dk = scale sum dS q. There is room for one tile
/// that moves past, so the queries come twice.
template <int D>
__device__ void gradient_of_keys(const TiledGradient& gradient) {
  constexpr int kRows = rows_of_block(D, 2), R = kRows / kGroups;
  extern __shared__ __align__(16) float shared[];
  float *const k_tile = shared, *const v_tile = k_tile + kRows * D, *const tile = v_tile + kRows * D;
  float* const weights = tile + kTile * D;
  const AttentionBackward& args = gradient.args;
  const Part part = part_of_block(args, kRows);
  if (part.empty()) return;
  const int64_t size = args.head_size;
  const float *q = operand<float>(args, args.q, part), *dout = operand<float>(args, args.dout, part);
  fetch_rows<kRows, D, R>(k_tile, operand<float>(args, args.k, part), args.stride, part.first, part.end, size);
  fetch_rows<kRows, D, R>(v_tile, operand<float>(args, args.v, part), args.stride, part.first, part.end, size);
  const int64_t key = part.first + threadIdx.x / kLanes * R;  // of this group, and the R - 1 that follow
  // The first query that sees `key`, from the block's first key on; in 32 bits, so that nothing spills.
  const int first_of_group = args.causal ? static_cast<int>(threadIdx.x) / kLanes * R : kBeforeAll;
  const float scale = static_cast<float>(args.scale);
  float dk[R][D / 32][4] = {}, dv[R][D / 32][4] = {}, factor_of_dk[R], factor_of_dv[R];
#pragma unroll
  for (int r = 0; r < R; ++r) {
    factor_of_dk[r] = scale;
    factor_of_dv[r] = 1;
  }
  for (int64_t start = part.first_query(args.causal, part.first); start < part.end; start += kTile) {
    fetch_rows<kTile, D, 4>(tile, q, args.stride, start, part.end, size);
    end_fetch();
    await_fetch<0>();
    float p[R][4], ds[R][4];
    row_products<D, R>(p, k_tile, tile);
    __syncthreads();
    fetch_rows<kTile, D, 4>(tile, dout, args.heads * size, start, part.end, size);
    end_fetch();
    await_fetch<0>();
    row_products<D, R>(ds, v_tile, tile);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int64_t query = start + threadIdx.x % kLanes * 4 + j, at = part.head * args.tokens + query;
      const int place = static_cast<int>(query - part.first);
      const bool inside = query < part.end;
      const float lse = inside ? static_cast<const float*>(args.lse)[at] : 0.0F;
      const float delta = inside ? gradient.delta[at] : 0.0F;
      float factors[4] = {1, 1, 1, 1};  // of the four keys among which are those of this group
      if (args.dropout.probability > 0) factors_of_keys(args, part, query, key, factors);
#pragma unroll
      for (int r = 0; r < R; ++r) {
        const bool takes_part = inside && place >= first_of_group + r;
        const float weight = takes_part ? expf(p[r][j] * scale - lse) : 0.0F;
        const float f = one_of(factors, threadIdx.x / kLanes * R % 4 + r);
        p[r][j] = weight * f;
        ds[r][j] = weight * (f * ds[r][j] - delta);
      }
    }
    keep_weights<R>(weights, p);
    add_rows<D, R>(dv, weights, tile);
    keep_weights<R>(weights, ds);
    __syncthreads();
    fetch_rows<kTile, D, 4>(tile, q, args.stride, start, part.end, size);
    end_fetch();
    await_fetch<0>();
    add_rows<D, R>(dk, weights, tile);
    __syncthreads();
  }
  store_rows<D, R>(static_cast<float*>(args.dk) + part.head * size, args.stride, key, part.end, size, dk, factor_of_dk);
  store_rows<D, R>(static_cast<float*>(args.dv) + part.head * size, args.stride, key, part.end, size, dv, factor_of_dv);
}

#define SUANLI_TILED(D)                                                                                             \
  extern "C" __global__ void __launch_bounds__(kThreads, kBlocks) tiled_queries_##D(const TiledGradient gradient) { \
    gradient_of_queries<D>(gradient);                                                                               \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(kThreads, kBlocks) tiled_keys_##D(const TiledGradient gradient) {    \
    gradient_of_keys<D>(gradient);                                                                                  \
  }
SUANLI_EACH_TILED(SUANLI_TILED)
#undef SUANLI_TILED

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/attention_delta.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(attention_tiled_backward);

Refusal can_run(const AttentionBackward& args, const Machine&) {
  return refuse_tiled(args, aligned({args.q, args.k, args.v, args.dout, args.dq, args.dk, args.dv}));
}

void run(const AttentionBackward& args, Stream& stream) {
  const Scratch delta(stream, args.heads * args.tokens * size_of(DType::f32));
  attention_delta(args, delta.memory(), stream);
  const TiledGradient gradient = {args, static_cast<const float*>(delta.memory())};
  launch_tiled(code, {"tiled_queries_32", "tiled_queries_64", "tiled_queries_96", "tiled_queries_128"}, args, 2,
               gradient, stream);
  launch_tiled(code, {"tiled_keys_32", "tiled_keys_64", "tiled_keys_96", "tiled_keys_128"}, args, 2, gradient, stream);
}

}  // namespace

void add_attention_tiled_backward() { attention_backward.add({"tiled", DeviceType::cuda, can_run, run}); }

}  // namespace suanli::kernels::cuda

#endif
