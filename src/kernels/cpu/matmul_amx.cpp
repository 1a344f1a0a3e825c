#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/matmul_plan.h"
#include "kernels/cpu/scratch.h"
#include "kernels/matmul.h"

namespace suanli::kernels {

namespace {

// C is computed in squares of 32 x 32 (four tiles), K in steps of 32 (one tile of A and of B has 32 along K).
constexpr int64_t kSquare = 32, kStep = 32, kTile = 512;  // elements of a bf16 tile

int64_t steps_of(int64_t depth) { return (depth + kStep - 1) / kStep; }

/// Rows [k, k + depth) of B for the columns of a task: per square of columns and step two tiles of row pairs.
SUANLI_AMX void pack_b(const Matmul& args, int64_t k, int64_t depth, const Tile& range, uint16_t* out) {
  const uint16_t* b = static_cast<const uint16_t*>(args.b);
  __m512i rows[16];
  for (int64_t n = range.column_begin; n < range.column_end; n += kSquare) {
    for (int64_t step = k; step < k + depth; step += kStep) {
      const int64_t inner = k + depth - step;
      for (int64_t half = n; half < n + kSquare; half += 16, out += kTile) {
        const int64_t columns = range.column_end - half;
        if (args.transpose_b) {
          load_rows(b + half * args.k + step, args.k, columns, inner, rows);
          transpose_16(rows);
        } else {
          load_row_pairs(b + step * args.n + half, args.n, inner, columns, rows);
        }
        store_tile(rows, out, kStep);
      }
    }
  }
}

struct LeftTiles {
  const uint16_t* data;
  int64_t stride;
};

/// 32 rows of A from row m on, columns [k, k + depth): in place where whole tiles lie there, else copied with zeros.
/// Rows a multiple of 2 KiB apart would share two sets of the first-level cache, so those are copied too, and copies
/// have an odd number of cache lines.
SUANLI_AMX LeftTiles left_square(const Matmul& args, int64_t m, int64_t m_end, int64_t k, int64_t depth,
                                 uint16_t* buffer) {
  const uint16_t* a = static_cast<const uint16_t*>(args.a);
  const bool in_place = !args.transpose_a && m + kSquare <= m_end && depth % kStep == 0 && args.k % 1024 != 0;
  if (in_place) return {a + m * args.k + k, args.k};
  const int64_t stride = (steps_of(depth) | 1) * kStep;
  __m512i rows[16];
  for (int64_t step = 0; step < depth; step += kStep) {
    for (int64_t half = 0; half < kSquare; half += 16) {
      const int64_t there = m_end - m - half, inner = depth - step;
      if (args.transpose_a) {
        load_row_pairs(a + (k + step) * args.m + m + half, args.m, inner, there, rows);
        transpose_16(rows);
      } else {
        load_rows(a + (m + half) * args.k + k + step, args.k, there, inner, rows);
      }
      store_tile(rows, buffer + half * stride + step, stride);
    }
  }
  return {buffer, stride};
}

/// sums [32, 32] = A [32, 32 steps] B, with A and B as packed above.
SUANLI_AMX void multiply_square(int64_t steps, LeftTiles a, const uint16_t* b, float* sums) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const uint16_t* lower = a.data + 16 * a.stride;
  const auto a_bytes = static_cast<size_t>(a.stride) * sizeof(uint16_t);
  for (int64_t step = 0; step < steps; ++step, b += 2 * kTile) {
    _tile_loadd(4, a.data + step * kStep, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + kTile, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, lower + step * kStep, a_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  constexpr size_t kRowBytes = kSquare * sizeof(float);
  _tile_stored(0, sums, kRowBytes);
  _tile_stored(1, sums + 16, kRowBytes);
  _tile_stored(2, sums + 16 * kSquare, kRowBytes);
  _tile_stored(3, sums + 16 * kSquare + 16, kRowBytes);
}

/// 16 lanes of f32 from memory in either dtype.
SUANLI_AMX inline __m512 load_lanes(const void* x, int64_t i, DType dtype, __mmask16 mask) {
  if (dtype == DType::f32) return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(x) + i);
  const __m256i bits = _mm256_maskz_loadu_epi16(mask, static_cast<const uint16_t*>(x) + i);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/// C = sums (+ bias) (+ C when `adds`) for the part of a square at (m, n) that lies within the task.
SUANLI_AMX void finish_square(const Matmul& args, const Tile& range, int64_t m, int64_t n, const float* sums,
                              bool adds_bias, bool adds_c) {
  for (int64_t half = 0; half < kSquare && n + half < range.column_end; half += 16) {
    const __mmask16 mask = first_of_16(range.column_end - n - half);
    const __m512 bias = adds_bias ? load_lanes(args.bias, n + half, args.bias_dtype, mask) : _mm512_setzero_ps();
    for (int64_t row = m; row < std::min(m + kSquare, range.row_end); ++row) {
      const int64_t at = row * args.n + n + half;
      __m512 sum = _mm512_add_ps(_mm512_load_ps(sums + (row - m) * kSquare + half), bias);
      if (adds_c) sum = _mm512_add_ps(sum, load_lanes(args.c, at, args.c_dtype, mask));
      if (args.c_dtype == DType::f32) {
        _mm512_mask_storeu_ps(static_cast<float*>(args.c) + at, mask, sum);
      } else {
        const __m256i rounded = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sum));
        _mm256_mask_storeu_epi16(static_cast<uint16_t*>(args.c) + at, mask, rounded);
      }
    }
  }
}

/// C of one task. An f32 C takes K in blocks whose part of B stays in the second-level cache; a 16-bit C must be
/// rounded once, so it takes K whole.
SUANLI_AMX void run_task(const Matmul& args, const Tile& range) {
  const int64_t columns = (range.column_end - range.column_begin + kSquare - 1) / kSquare * kSquare;
  const int64_t most = args.c_dtype == DType::f32 ? std::min<int64_t>(args.k, 1024) : args.k;
  const int64_t most_steps = steps_of(most);
  uint16_t* b = local_scratch().get<uint16_t>(most_steps * kStep * columns + (most_steps | 1) * kStep * kSquare);
  uint16_t* buffer = b + most_steps * kStep * columns;
  alignas(64) float sums[kSquare * kSquare];
  const TileConfiguration tiles;
  for (int64_t k = 0; k < args.k; k += most) {
    const int64_t depth = std::min(most, args.k - k), steps = steps_of(depth);
    pack_b(args, k, depth, range, b);
    for (int64_t m = range.row_begin; m < range.row_end; m += kSquare) {
      const LeftTiles a = left_square(args, m, range.row_end, k, depth, buffer);
      for (int64_t n = range.column_begin; n < range.column_end; n += kSquare) {
        multiply_square(steps, a, b + (n - range.column_begin) * steps * kStep, sums);
        finish_square(args, range, m, n, sums, k == 0 && args.bias != nullptr, k > 0 || args.accumulate);
      }
    }
  }
}

void run_amx(const Matmul& args, Stream&) {
  if (args.m == 0 || args.n == 0) return;
  if (args.k == 0) return start_rows(args);
  const MatmulPlan plan(args, kSquare, kSquare);
  parallel_tasks(plan.tasks(), false, [&](int64_t task) { run_task(args, plan.tile(task)); });
}

Refusal can_run_amx(const Matmul& a, const Machine& machine) {
  if (a.dtype != DType::bf16) return "dtype is not bf16";
  return machine.isa == Isa::amx ? nullptr : "needs AMX";
}

}  // namespace

void add_matmul_amx() { matmul.add({"amx", DeviceType::cpu, can_run_amx, run_amx}); }

}  // namespace suanli::kernels
