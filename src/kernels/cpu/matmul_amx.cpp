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

/// The part of a packed operand that belongs to a square: two tiles a step, one after another.
constexpr int64_t kPair = 2 * kTile;

/// Rows [k, k + depth) of B for the columns of a task: square by square, per step two tiles of row pairs. B is read
/// along its rows, so that the reads stream.
SUANLI_AMX void pack_b(const Matmul& args, int64_t k, int64_t depth, const Tile& range, uint16_t* out) {
  const uint16_t* b = static_cast<const uint16_t*>(args.b);
  const int64_t steps = steps_of(depth);
  const auto place = [&](int64_t n, int64_t step)
                         SUANLI_AMX { return out + (n / kSquare * steps + step) * kPair + n % kSquare / 16 * kTile; };
  const int64_t columns = (range.column_end - range.column_begin + kSquare - 1) / kSquare * kSquare;
  __m512i rows[16];
  if (args.transpose_b) {
    for (int64_t n = 0; n < columns; n += 16) {
      const int64_t column = range.column_begin + n;
      for (int64_t step = 0; step < steps; ++step) {
        load_rows(b + column * args.k + k + step * kStep, args.k, range.column_end - column, depth - step * kStep,
                  rows);
        transpose_16(rows);
        store_tile(rows, place(n, step), kStep);
      }
    }
    return;
  }
  for (int64_t step = 0; step < steps; ++step) {
    for (int64_t n = 0; n < columns; n += 16) {
      const int64_t column = range.column_begin + n;
      load_row_pairs(b + (k + step * kStep) * args.n + column, args.n, depth - step * kStep, range.column_end - column,
                     rows);
      store_tile(rows, place(n, step), kStep);
    }
  }
}

/// Rows of A as tiles of 16 rows: element offsets from one row, step and half square to the next.
struct LeftTiles {
  const uint16_t* data;
  int64_t row, step, half;
};

LeftTiles packed_left(const uint16_t* data) { return {data, kStep, kPair, kTile}; }

/// Columns [k, k + depth) of a transposed A for the rows of a task, packed as B is.
SUANLI_AMX void pack_transposed_a(const Matmul& args, int64_t k, int64_t depth, const Tile& range, uint16_t* out) {
  const uint16_t* a = static_cast<const uint16_t*>(args.a);
  const int64_t steps = steps_of(depth);
  __m512i rows[16];
  for (int64_t step = 0; step < steps; ++step) {
    for (int64_t m = range.row_begin; m < range.row_end; m += 16) {
      load_row_pairs(a + (k + step * kStep) * args.m + m, args.m, depth - step * kStep, range.row_end - m, rows);
      transpose_16(rows);
      const int64_t row = m - range.row_begin;
      store_tile(rows, out + (row / kSquare * steps + step) * kPair + row % kSquare / 16 * kTile, kStep);
    }
  }
}

/// 32 rows of A from row m on, columns [k, k + depth): in place where whole tiles lie there, else copied with zeros.
/// Rows a multiple of 2 KiB apart would share two sets of the first-level cache, so those are copied too.
SUANLI_AMX LeftTiles left_square(const Matmul& args, int64_t m, int64_t m_end, int64_t k, int64_t depth,
                                 uint16_t* buffer) {
  const uint16_t* a = static_cast<const uint16_t*>(args.a) + m * args.k + k;
  if (m + kSquare <= m_end && depth % kStep == 0 && args.k % 1024 != 0) return {a, args.k, kStep, 16 * args.k};
  __m512i rows[16];
  for (int64_t half = 0; half < kSquare; half += 16) {
    for (int64_t step = 0; step < steps_of(depth); ++step) {
      load_rows(a + half * args.k + step * kStep, args.k, m_end - m - half, depth - step * kStep, rows);
      store_tile(rows, buffer + step * kPair + half / 16 * kTile, kStep);
    }
  }
  return packed_left(buffer);
}

/// 16 lanes of f32 from memory in either dtype.
SUANLI_AMX inline __m512 load_lanes(const void* x, int64_t i, DType dtype, __mmask16 mask) {
  if (dtype == DType::f32) return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(x) + i);
  const __m256i bits = _mm256_maskz_loadu_epi16(mask, static_cast<const uint16_t*>(x) + i);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/// C = sums (+ bias) (+ C when `adds_c`) for the part of a square at (m, n) that lies within the task, some rows at a
/// time: the rows of one square are finished while the tiles of the next are multiplied.
class Finish {
 public:
  Finish() = default;
  SUANLI_AMX Finish(const Matmul& args, const Tile& range, int64_t m, int64_t n, const float* sums, bool adds_bias,
                    bool adds_c)
      : args_(&args), sums_(sums), at_(m * args.n + n), rows_(std::min(kSquare, range.row_end - m)), adds_c_(adds_c) {
    for (int half = 0; half < 2; ++half) {
      mask_[half] = first_of_16(range.column_end - n - 16 * half);
      bias_[half] =
          adds_bias ? load_lanes(args.bias, n + 16 * half, args.bias_dtype, mask_[half]) : _mm512_setzero_ps();
    }
  }

  SUANLI_AMX void rows(int64_t count) {
    for (; count > 0 && row_ < rows_; --count, ++row_, at_ += args_->n) {
      __m512 sum[2];
      for (int half = 0; half < 2; ++half) {
        sum[half] = _mm512_add_ps(_mm512_load_ps(sums_ + row_ * kSquare + 16 * half), bias_[half]);
        if (adds_c_)
          sum[half] = _mm512_add_ps(sum[half], load_lanes(args_->c, at_ + 16 * half, args_->c_dtype, mask_[half]));
      }
      if (args_->c_dtype == DType::f32) {
        float* c = static_cast<float*>(args_->c) + at_;
        _mm512_mask_storeu_ps(c, mask_[0], sum[0]);
        _mm512_mask_storeu_ps(c + 16, mask_[1], sum[1]);
      } else {
        const __m512i both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(sum[1], sum[0]));
        const auto mask = static_cast<__mmask32>(mask_[0] | static_cast<uint32_t>(mask_[1]) << 16U);
        _mm512_mask_storeu_epi16(static_cast<uint16_t*>(args_->c) + at_, mask, both);
      }
    }
  }

 private:
  const Matmul* args_ = nullptr;
  const float* sums_ = nullptr;
  int64_t at_ = 0, row_ = 0, rows_ = 0;
  bool adds_c_ = false;
  __m512 bias_[2] = {};
  __mmask16 mask_[2] = {};
};

/// sums [32, 32] = A [32, 32 steps] B, with A and B as packed above, while `previous` finishes.
SUANLI_AMX void multiply_square(int64_t steps, LeftTiles a, const uint16_t* b, float* sums, Finish& previous) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const auto a_bytes = static_cast<size_t>(a.row) * sizeof(uint16_t);
  const int64_t rows_a_step = (kSquare + steps - 1) / steps;
  for (int64_t step = 0; step < steps; ++step, b += kPair, a.data += a.step) {
    _tile_loadd(4, a.data, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + kTile, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a.data + a.half, a_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    previous.rows(rows_a_step);
  }
  constexpr size_t kRowBytes = kSquare * sizeof(float);
  _tile_stored(0, sums, kRowBytes);
  _tile_stored(1, sums + 16, kRowBytes);
  _tile_stored(2, sums + 16 * kSquare, kRowBytes);
  _tile_stored(3, sums + 16 * kSquare + 16, kRowBytes);
}

/// C of one task. An f32 C takes K in blocks whose operands stay in the second-level cache; a 16-bit C must be rounded
/// once, so it takes K whole.
SUANLI_AMX void run_task(const Matmul& args, const Tile& range) {
  const int64_t columns = (range.column_end - range.column_begin + kSquare - 1) / kSquare * kSquare;
  const int64_t rows = (range.row_end - range.row_begin + kSquare - 1) / kSquare * kSquare;
  const int64_t most = args.c_dtype == DType::f32 ? std::min<int64_t>(args.k, 512) : args.k;
  const int64_t most_depth = steps_of(most) * kStep;
  uint16_t* b = local_scratch().get<uint16_t>(most_depth * (columns + (args.transpose_a ? rows : kSquare)));
  uint16_t* left = b + most_depth * columns;
  alignas(64) float sums[2][kSquare * kSquare];
  const TileConfiguration tiles;
  Finish previous;
  int turn = 0;
  for (int64_t k = 0; k < args.k; k += most) {
    const int64_t depth = std::min(most, args.k - k), steps = steps_of(depth);
    pack_b(args, k, depth, range, b);
    if (args.transpose_a) pack_transposed_a(args, k, depth, range, left);
    for (int64_t m = range.row_begin; m < range.row_end; m += kSquare) {
      const LeftTiles a = args.transpose_a ? packed_left(left + (m - range.row_begin) * steps * kStep)
                                           : left_square(args, m, range.row_end, k, depth, left);
      for (int64_t n = range.column_begin; n < range.column_end; n += kSquare, turn ^= 1) {
        multiply_square(steps, a, b + (n - range.column_begin) * steps * kStep, sums[turn], previous);
        previous = Finish(args, range, m, n, sums[turn], k == 0 && args.bias != nullptr, k > 0 || args.accumulate);
      }
    }
    previous.rows(kSquare);  // before the next block of K reads C
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
