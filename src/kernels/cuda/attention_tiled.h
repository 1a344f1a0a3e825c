/// What attention in f32 shares, forward and backward: tiles in shared memory, sums in registers. A block holds rows of
/// a head (queries, or keys), four times as many columns of theirs move past in tiles of 32 rows. Eight lanes share
/// rows: each makes the scores of 4 of a tile's rows with them, and later the sums of every eighth 4 columns. Read by
/// both halves of a .cu file.
#pragma once

#include "kernels/cuda/attention_part.h"

namespace suanli::kernels::cuda {

constexpr int kThreads = 128, kLanes = 8, kGroups = kThreads / kLanes;
constexpr int kTile = 32;   ///< rows of a tile that moves past: 4 of each lane
constexpr int kBlocks = 3;  ///< that a processor holds at least: 168 registers a thread, with which nothing spills

/// f32 in shared memory for blocks of `rows` rows of `columns` columns with `held` tiles of them: those, a tile that
/// moves past and a tile of weights.
constexpr int shared_elements(int rows, int columns, int held) {
  return held * rows * columns + kTile * columns + rows * kTile;
}
/// The most rows, up to 64, for which that is within 48 KiB.
constexpr int rows_of_block(int columns, int held) {
  int rows = 64;
  while (shared_elements(rows, columns, held) * 4 > 48 * 1024) rows /= 2;
  return rows;
}

#ifdef __CUDACC__

/// The head sizes that have kernels, as columns of a tile: a head of other size has zeros behind it.
#define SUANLI_EACH_TILED(F) F(32) F(64) F(96) F(128)

/// Where 4 columns (`chunk`) of a row lie in a tile: turned within the row by the rows' reader, of which each has kEach
/// rows, so that the readers of a warp fall on different banks.
template <int D, int kEach>
__device__ int place(int row, int chunk) {
  return row * D + (chunk ^ row / kEach % 8) * 4;
}

__device__ inline void load_four(float (&out)[4], const float* from) {
  const float4 four = *reinterpret_cast<const float4*>(from);
  out[0] = four.x;
  out[1] = four.y;
  out[2] = four.z;
  out[3] = four.w;
}
__device__ inline void store_four(float* to, const float (&values)[4]) {
  *reinterpret_cast<float4*>(to) = {values[0], values[1], values[2], values[3]};
}

/// Begins to copy rows [first, first + kRows) of a head, `stride` apart, to a tile; zeros for rows from `end` on and
/// for columns beyond the head.
template <int kRows, int D, int kEach>
__device__ void fetch_rows(float* tile, const float* base, int64_t stride, int64_t first, int64_t end,
                           int64_t head_size) {
  constexpr int kChunks = D / 4;
  for (int i = threadIdx.x; i < kRows * kChunks; i += kThreads) {
    const int row = i / kChunks, chunk = i % kChunks;
    const bool inside = first + row < end && chunk * 4 < head_size;
    const float* from = base + (inside ? (first + row) * stride + chunk * 4 : first * stride);
    asm volatile(
        "cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(tile + place<D, kEach>(row, chunk))),
        "l"(from), "r"(inside ? 16 : 0));
  }
}

/// products[r][j] = row r of this group in a held tile . row 4 lane + j of the tile.
template <int D, int R>
__device__ void row_products(float (&products)[R][4], const float* held, const float* tile) {
  const int lane = threadIdx.x % kLanes, first = threadIdx.x / kLanes * R;
#pragma unroll
  for (int r = 0; r < R; ++r) {
#pragma unroll
    for (int j = 0; j < 4; ++j) products[r][j] = 0;
  }
#pragma unroll 1
  for (int chunk = 0; chunk < D / 4; ++chunk) {
    float y[4][4];
#pragma unroll
    for (int j = 0; j < 4; ++j) load_four(y[j], tile + place<D, 4>(lane * 4 + j, chunk));
#pragma unroll
    for (int r = 0; r < R; ++r) {
      float x[4];
      load_four(x, held + place<D, R>(first + r, chunk));
#pragma unroll
      for (int j = 0; j < 4; ++j) {
#pragma unroll
        for (int c = 0; c < 4; ++c) products[r][j] += x[c] * y[j][c];
      }
    }
  }
}

/// Keeps this group's weights [R, 32] for add_rows(), which its lanes alone read.
template <int R>
__device__ void keep_weights(float* weights, const float (&values)[R][4]) {
  __syncwarp();  // a former use is over
#pragma unroll
  for (int r = 0; r < R; ++r) {
    store_four(weights + place<kTile, R>(threadIdx.x / kLanes * R + r, threadIdx.x % kLanes), values[r]);
  }
  __syncwarp();
}

/// sums[r][i] += weights of row r times the tile's rows: columns 4 (lane + 8 i) and the next three.
template <int D, int R>
__device__ void add_rows(float (&sums)[R][D / 32][4], const float* weights, const float* tile) {
  const int lane = threadIdx.x % kLanes, first = threadIdx.x / kLanes * R;
#pragma unroll 1
  for (int four = 0; four < kTile / 4; ++four) {
    float w[R][4];
#pragma unroll
    for (int r = 0; r < R; ++r) load_four(w[r], weights + place<kTile, R>(first + r, four));
#pragma unroll
    for (int k = 0; k < 4; ++k) {
#pragma unroll
      for (int i = 0; i < D / 32; ++i) {
        float y[4];
        load_four(y, tile + place<D, 4>(four * 4 + k, lane + 8 * i));
#pragma unroll
        for (int r = 0; r < R; ++r) {
#pragma unroll
          for (int c = 0; c < 4; ++c) sums[r][i][c] += w[r][k] * y[c];
        }
      }
    }
  }
}

/// Stores the rows of this group times `factors`, `stride` apart; rows from `end` on are left out.
template <int D, int R>
__device__ void store_rows(float* base, int64_t stride, int64_t first, int64_t end, int64_t head_size,
                           const float (&sums)[R][D / 32][4], const float (&factors)[R]) {
#pragma unroll
  for (int r = 0; r < R; ++r) {
#pragma unroll
    for (int i = 0; i < D / 32; ++i) {
      const int64_t column = 4 * (threadIdx.x % kLanes + 8 * i);
      float values[4];
#pragma unroll
      for (int c = 0; c < 4; ++c) values[c] = sums[r][i][c] * factors[r];
      if (first + r < end && column < head_size) store_four(base + (first + r) * stride + column, values);
    }
  }
}

/// Folds over the lanes that share rows.
template <class F>
__device__ float fold_lanes(float value, F fold) {
#pragma unroll
  for (int distance = 1; distance < kLanes; distance *= 2) {
    value = fold(value, __shfl_xor_sync(0xffffffffU, value, distance));
  }
  return value;
}

/// The dropout factors of a query and four keys, counted in fours from its sequence's begin, among which is `key`.
template <class Args>
__device__ void factors_of_keys(const Args& args, const Part& part, int64_t query, int64_t key, float (&factors)[4]) {
  const auto row = static_cast<uint64_t>(part.head * args.tokens + query);
  const auto words = philox(random_of(args.dropout), ((row << 20) + static_cast<uint64_t>(key - part.begin)) / 4);
  const uint32_t threshold = dropout_threshold(args.dropout.probability);
#pragma unroll
  for (int j = 0; j < 4; ++j) factors[j] = words[j] >= threshold ? 1.0F / (1.0F - args.dropout.probability) : 0.0F;
}

__device__ inline float one_of(const float (&four)[4], int i) {
  return i == 0 ? four[0] : i == 1 ? four[1] : i == 2 ? four[2] : four[3];
}

#else

/// Why a call cannot run in tiles of f32; null where it can.
template <class Args>
Refusal refuse_tiled(const Args& args, bool pointers_aligned) {
  if (args.dtype != DType::f32) return "dtype is not f32";
  if (args.head_size > 128) return "a head has more than 128 columns";
  return refuse_parts(args, pointers_aligned);
}

/// Launches `names`[i] for heads of up to 32 (i + 1) columns with `held` tiles of a block's rows.
template <class Parameters, class Args>
void launch_tiled(DeviceCode& code, const char* const (&names)[4], const Args& args, int held,
                  const Parameters& parameters, Stream& stream) {
  const int64_t of_32 = blocks_for(args.head_size, 32);
  const int columns = static_cast<int>(of_32) * 32, rows = rows_of_block(columns, held);
  code.launch(names[of_32 - 1], grid_of_parts(args, rows, kThreads, shared_elements(rows, columns, held) * 4), stream,
              parameters);
}

#endif

}  // namespace suanli::kernels::cuda
