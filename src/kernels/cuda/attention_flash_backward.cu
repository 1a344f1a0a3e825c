// The gradients of attention on tensor cores for 16-bit operands: a block for 64 queries of a head, or for 64 keys, so
// that each gradient is summed by one block, in one order.
#include "kernels/cuda/attention_flash.h"

namespace suanli::kernels::cuda {

/// Rows of a tile that the inner loop goes over: with more of 128 columns the sums do not fit the registers.
constexpr int inner_rows(int64_t head_size) { return head_size > 96 ? 16 : 32; }

/// The launch: delta [heads, tokens] = dout . out.
struct FlashGradient {
  AttentionBackward args;
  const float* delta;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

namespace suanli::kernels::cuda {

/// body(row, x_tile, y_tile) for each kInner rows of x and y from `row` on, up to `end`; the next ones are fetched
/// meanwhile. `tiles` holds twice two tiles. What the caller began to fetch is there when body is first called.
template <int kInner, int D, class T, class F>
__device__ void each_tile(uint32_t tiles, const T* x, int64_t x_stride, const T* y, int64_t y_stride, int64_t row,
                          int64_t end, F body) {
  constexpr uint32_t kBytes = kInner * D * 2;
  const auto fetch_both = [&](uint32_t tile, int64_t first) {
    fetch<kInner, D, kThreads>(tile, x, x_stride, first, end);
    fetch<kInner, D, kThreads>(tile + kBytes, y, y_stride, first, end);
    end_fetch();
  };
  if (row < end) fetch_both(tiles, row);
  for (uint32_t next = tiles + 2 * kBytes; row < end; row += kInner) {
    await_fetch<0>();  // and all have read the tiles before these
    if (row + kInner < end) fetch_both(next, row + kInner);
    next = 2 * tiles + 2 * kBytes - next;  // those that are there
    body(row, next, next + kBytes);
  }
}

/// dq of 64 queries: over the keys, P = exp(S - lse), dS = P (f dP - delta), dq = scale sum dS k.
template <class T, int D>
__device__ void gradient_of_queries(const FlashGradient& gradient) {
  constexpr int kInner = inner_rows(D);
  extern __shared__ __align__(128) unsigned char shared[];
  const AttentionBackward& args = gradient.args;
  const Part part = part_of_block(args, kRows);
  if (part.empty()) return;
  const uint32_t q_tile = shared_address(shared), dout_tile = q_tile + kRows * D * 2;
  const int64_t width = args.heads * D;
  fetch<kRows, D, kThreads>(q_tile, operand<T>(args, args.q, part), args.stride, part.first, part.end);
  fetch<kRows, D, kThreads>(dout_tile, operand<T>(args, args.dout, part), width, part.first, part.end);
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16;
  const float scale = static_cast<float>(args.scale), kept_factor = 1.0F / (1.0F - args.dropout.probability);
  float lse[2] = {}, delta[2] = {};
  int end_of_row[2];  // counted from the sequence's first key
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int64_t query = part.first + row + lane / 4 + 8 * half, at = part.head * args.tokens + query;
    end_of_row[half] = static_cast<int>(part.end_of_keys(args.causal, query) - part.begin);
    if (query >= part.end) continue;
    lse[half] = static_cast<const float*>(args.lse)[at] * kLog2E;
    delta[half] = gradient.delta[at];
  }
  float sums[D / 8][4] = {};
  const int64_t end = part.end_of_keys(args.causal, part.first + kRows - 1);
  const auto add = [&](int64_t key, uint32_t k_tile, uint32_t v_tile) {
    float p[kInner / 8][4] = {}, dp[kInner / 8][4] = {};
    multiply_rows<T, D, kInner / 8>(p, q_tile, row, k_tile);
    multiply_rows<T, D, kInner / 8>(dp, dout_tile, row, v_tile);
#pragma unroll
    for (int block = 0; block < kInner / 8; ++block) {
      const uint32_t kept =
          args.dropout.probability > 0 ? kept_of_queries(args, part, part.first + row, key + block * 8) : 15;
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const bool inside = static_cast<int>(key - part.begin) + block * 8 + lane % 4 * 2 + c % 2 < end_of_row[c / 2];
        const float weight = inside ? exp2f(p[block][c] * scale * kLog2E - lse[c / 2]) : 0.0F;
        const float through = (kept >> c & 1) != 0 ? dp[block][c] * kept_factor : 0.0F;
        p[block][c] = inside ? weight * (through - delta[c / 2]) : 0.0F;
      }
    }
    multiply_weights<T, D, kInner / 8>(sums, p, k_tile);
  };
  each_tile<kInner, D>(dout_tile + kRows * D * 2, operand<T>(args, args.k, part), args.stride,
                       operand<T>(args, args.v, part), args.stride, part.begin, end, add);
  store_rows<T, D>(static_cast<T*>(args.dq) + part.head * D, args.stride, part.first + row, part.end, sums,
                   {scale, scale});
}

/// dk and dv of 64 keys, over the queries: dv = sum (f P) dout, dk = scale sum dS q.
template <class T, int D>
__device__ void gradient_of_keys(const FlashGradient& gradient) {
  constexpr int kInner = inner_rows(D);
  extern __shared__ __align__(128) unsigned char shared[];
  const AttentionBackward& args = gradient.args;
  const Part part = part_of_block(args, kRows);
  if (part.empty()) return;
  const uint32_t k_tile = shared_address(shared), v_tile = k_tile + kRows * D * 2;
  fetch<kRows, D, kThreads>(k_tile, operand<T>(args, args.k, part), args.stride, part.first, part.end);
  fetch<kRows, D, kThreads>(v_tile, operand<T>(args, args.v, part), args.stride, part.first, part.end);
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16;
  const float scale = static_cast<float>(args.scale), kept_factor = 1.0F / (1.0F - args.dropout.probability);
  float dk[D / 8][4] = {}, dv[D / 8][4] = {};
  const int queries = static_cast<int>(part.end - part.first);  // from the block's first key on
  // The first query that sees key lane / 4 of this warp, 8 more for the one 8 rows on; counted from the block's first
  // key in 32 bits, so that heads of 128 columns make do with 255 registers.
  const int first_of_row = args.causal ? row + lane / 4 : kBeforeAll;
  const auto add = [&](int64_t query, uint32_t q_tile, uint32_t dout_tile) {
    float p[kInner / 8][4] = {}, ds[kInner / 8][4] = {};
    multiply_rows<T, D, kInner / 8>(p, k_tile, row, q_tile);
    multiply_rows<T, D, kInner / 8>(ds, v_tile, row, dout_tile);
#pragma unroll
    for (int block = 0; block < kInner / 8; ++block) {
      const uint32_t kept =
          args.dropout.probability > 0 ? kept_of_keys(args, part, part.first + row, query + block * 8) : 15;
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const int place = static_cast<int>(query - part.first) + block * 8 + lane % 4 * 2 + c % 2;
        const bool inside = place >= first_of_row + 8 * (c / 2) && place < queries;
        const int64_t at = part.head * args.tokens + part.first + place;
        const float lse = inside ? static_cast<const float*>(args.lse)[at] * kLog2E : 0.0F;
        const float delta = inside ? gradient.delta[at] : 0.0F;
        const float weight = inside ? exp2f(p[block][c] * scale * kLog2E - lse) : 0.0F;
        const float f = (kept >> c & 1) != 0 ? kept_factor : 0.0F;
        p[block][c] = weight * f;
        ds[block][c] = weight * (f * ds[block][c] - delta);
      }
    }
    multiply_weights<T, D, kInner / 8>(dv, p, dout_tile);
    multiply_weights<T, D, kInner / 8>(dk, ds, q_tile);
  };
  each_tile<kInner, D>(v_tile + kRows * D * 2, operand<T>(args, args.q, part), args.stride,
                       operand<T>(args, args.dout, part), args.heads * D, part.first_query(args.causal, part.first),
                       part.end, add);
  const int64_t token = part.first + row;
  store_rows<T, D>(static_cast<T*>(args.dk) + part.head * D, args.stride, token, part.end, dk, {scale, scale});
  store_rows<T, D>(static_cast<T*>(args.dv) + part.head * D, args.stride, token, part.end, dv, {1.0F, 1.0F});
}

#define SUANLI_FLASH(D, dtype, T)                                                                                    \
  extern "C" __global__ void __launch_bounds__(kThreads) flash_queries_##D##_##dtype(const FlashGradient gradient) { \
    gradient_of_queries<T, D>(gradient);                                                                             \
  }                                                                                                                  \
  extern "C" __global__ void __launch_bounds__(kThreads) flash_keys_##D##_##dtype(const FlashGradient gradient) {    \
    gradient_of_keys<T, D>(gradient);                                                                                \
  }
SUANLI_EACH_FLASH(SUANLI_FLASH)
#undef SUANLI_FLASH

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/attention_delta.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(attention_flash_backward);

constexpr FlashNames kOfQueries = SUANLI_FLASH_NAMES("flash_queries"), kOfKeys = SUANLI_FLASH_NAMES("flash_keys");

Refusal can_run(const AttentionBackward& args, const Machine&) {
  return refuse_flash(args, kOfQueries, aligned({args.q, args.k, args.v, args.dout, args.dq, args.dk, args.dv}));
}

void run(const AttentionBackward& args, Stream& stream) {
  const Scratch delta(stream, args.heads * args.tokens * size_of(DType::f32));
  attention_delta(args, delta.memory(), stream);
  const FlashGradient gradient = {args, static_cast<const float*>(delta.memory())};
  const Grid grid =
      grid_of_parts(args, kRows, kThreads, (2 * kRows + 4 * inner_rows(args.head_size)) * args.head_size * 2);
  code.launch(kOfQueries.name(args.head_size), args.dtype, grid, stream, gradient);
  code.launch(kOfKeys.name(args.head_size), args.dtype, grid, stream, gradient);
}

}  // namespace

void add_attention_flash_backward() { attention_backward.add({"flash", DeviceType::cuda, can_run, run}); }

}  // namespace suanli::kernels::cuda

#endif
