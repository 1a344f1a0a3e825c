#include "base/parallel.h"
#include "kernels/cpu/activation_sums.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/amx_product.h"
#include "kernels/cpu/matmul_plan.h"
#include "kernels/cpu/scratch.h"
#include "kernels/matmul.h"
#include "tensor/tensor.h"

namespace suanli::kernels {

namespace {

/// Columns [begin, end), rows [k, k + depth) of B.
SUANLI_AMX void pack_b(const Matmul& args, int64_t k, int64_t depth, int64_t begin, int64_t end, uint16_t* out) {
  const uint16_t* b = static_cast<const uint16_t*>(args.b);
  args.transpose_b ? pack_right_transposed(b + begin * args.k + k, args.k, end - begin, depth, out)
                   : pack_right(b + k * args.n + begin, args.n, depth, end - begin, out);
}

/// Rows [begin, end), columns [k, k + depth) of a transposed A.
SUANLI_AMX void pack_a(const Matmul& args, int64_t k, int64_t depth, int64_t begin, int64_t end, uint16_t* out) {
  pack_left_transposed(static_cast<const uint16_t*>(args.a) + k * args.m + begin, args.m, depth, end - begin, out);
}

/// 16 lanes of f32 from memory in either dtype.
SUANLI_AMX inline __m512 load_lanes(const void* x, int64_t i, DType dtype, __mmask16 mask) {
  if (dtype == DType::f32) return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(x) + i);
  const __m256i bits = _mm256_maskz_loadu_epi16(mask, static_cast<const uint16_t*>(x) + i);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/// 32 lanes of f32 to memory in either dtype.
SUANLI_AMX inline void store_lanes(const __m512 (&x)[2], void* y, int64_t i, DType dtype, const __mmask16 (&mask)[2]) {
  if (dtype == DType::f32) {
    _mm512_mask_storeu_ps(static_cast<float*>(y) + i, mask[0], x[0]);
    _mm512_mask_storeu_ps(static_cast<float*>(y) + i + 16, mask[1], x[1]);
    return;
  }
  const __m512i both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(x[1], x[0]));
  const auto both_masks = static_cast<__mmask32>(mask[0] | static_cast<uint32_t>(mask[1]) << 16U);
  _mm512_mask_storeu_epi16(static_cast<uint16_t*>(y) + i, both_masks, both);
}

/// C from the sums of the part of a square at (m, n) that lies within the task, some rows at a time: the rows of one
/// square are finished while the tiles of the next are multiplied. `first` block of K: the bias joins; `last`: the
/// epilogue.
class Finish {
 public:
  Finish() = default;
  SUANLI_AMX Finish(const Matmul& args, const Tile& range, int64_t m, int64_t n, float* sums, bool first, bool last)
      : args_(&args),
        sums_(sums),
        at_(m * args.n + n),
        rows_(std::min(kSquare, range.row_end - m)),
        adds_c_(!first || args.accumulate),
        activates_(last && args.epilogue.activation),
        factor_(last ? args.epilogue.factor : nullptr) {
    for (int half = 0; half < 2; ++half) {
      mask_[half] = first_of_16(range.column_end - n - 16 * half);
      bias_[half] = first && args.bias != nullptr ? load_lanes(args.bias, n + 16 * half, args.bias_dtype, mask_[half])
                                                  : _mm512_setzero_ps();
    }
  }

  /// Makes ready the next rows() to be written, some at a time.
  SUANLI_AMX void prefetch(int64_t count) {
    const int64_t size = size_of(args_->c_dtype);
    for (; count > 0 && prefetched_ < rows_; --count, ++prefetched_) {
      const int64_t at = (at_ + prefetched_ * args_->n) * size;
      prefetch_to_write(static_cast<const char*>(args_->c) + at, kSquare * size);
      if (args_->epilogue.slope == nullptr) continue;
      prefetch_to_write(static_cast<const char*>(args_->epilogue.slope) + at, kSquare * size);
    }
  }

  SUANLI_AMX void rows(int64_t count) {
    count = std::min(count, rows_ - row_);
    if (count <= 0) return;
    if (activates_) return activate(count);
    for (; count > 0; --count, ++row_, at_ += args_->n) {
      __m512 sum[2] = {complete(0), complete(1)};
      for (int half = 0; factor_ != nullptr && half < 2; ++half) {
        sum[half] = _mm512_mul_ps(sum[half], load_lanes(factor_, at_ + 16 * half, args_->c_dtype, mask_[half]));
      }
      store_lanes(sum, args_->c, at_, args_->c_dtype, mask_);
    }
  }

 private:
  /// Half of the present row of the sum, with bias and old C.
  SUANLI_AMX __m512 complete(int half) const {
    const __m512 sum = _mm512_add_ps(_mm512_load_ps(sums_ + row_ * kSquare + 16 * half), bias_[half]);
    if (!adds_c_) return sum;
    return _mm512_add_ps(sum, load_lanes(args_->c, at_ + 16 * half, args_->c_dtype, mask_[half]));
  }

  SUANLI_AMX void activate(int64_t count) {
    alignas(64) float slopes[kSquare * kSquare];
    float* const sums = sums_ + row_ * kSquare;
    void* const slope = args_->epilogue.slope;
    int64_t at = at_;
    for (int64_t row = 0; row < count; ++row, ++row_, at_ += args_->n) {
      const __m512 low = complete(0), high = complete(1);
      _mm512_store_ps(sums + row * kSquare, low);
      _mm512_store_ps(sums + row * kSquare + 16, high);
    }
    activate_sums(*args_->epilogue.activation, sums, slope == nullptr ? nullptr : slopes, count * kSquare);
    for (int64_t row = 0; row < count; ++row, at += args_->n) {
      store_row(sums + row * kSquare, args_->c, at);
      if (slope != nullptr) store_row(slopes + row * kSquare, slope, at);
    }
  }
  SUANLI_AMX void store_row(const float* from, void* to, int64_t at) const {
    store_lanes({_mm512_load_ps(from), _mm512_load_ps(from + 16)}, to, at, args_->c_dtype, mask_);
  }

  const Matmul* args_ = nullptr;
  float* sums_ = nullptr;
  int64_t at_ = 0, row_ = 0, prefetched_ = 0, rows_ = 0;
  bool adds_c_ = false, activates_ = false;
  const void* factor_ = nullptr;
  __m512 bias_[2] = {};
  __mmask16 mask_[2] = {};
};

/// Both operands in tiles, where they are packed for all tasks at once: null where each task packs its own part.
struct Packed {
  const uint16_t *left = nullptr, *right = nullptr;
};

/// C of one task. An f32 C takes K in blocks whose operands stay in the second-level cache; a 16-bit C must be rounded
/// once, so it takes K whole.
SUANLI_AMX void run_task(const Matmul& args, const Tile& range, const Packed& packed) {
  const int64_t columns = whole_squares(range.column_end - range.column_begin);
  const int64_t rows = whole_squares(range.row_end - range.row_begin);
  const int64_t most = args.c_dtype == DType::f32 ? std::min<int64_t>(args.k, 1024) : args.k;
  const int64_t most_depth = steps_of(most) * kStep, all_steps = steps_of(args.k);
  const int64_t own_columns = packed.right == nullptr ? columns : 0;
  const int64_t own_rows = packed.left != nullptr ? 0 : args.transpose_a ? rows : kSquare;
  uint16_t* own_right = local_scratch().get<uint16_t>(most_depth * (own_columns + own_rows));
  uint16_t* own_left = own_right + most_depth * own_columns;
  alignas(64) float sums[2][kSquare * kSquare];
  const TileConfiguration tiles;
  Finish previous;
  int turn = 0;
  for (int64_t k = 0; k < args.k; k += most) {
    const int64_t depth = std::min(most, args.k - k), steps = steps_of(depth);
    const uint16_t *right = own_right, *left = own_left;
    int64_t right_square = steps * kPair, left_square = steps * kPair;
    if (packed.right != nullptr) {
      right_square = all_steps * kPair;
      right = packed.right + range.column_begin / kSquare * right_square + k / kStep * kPair;
    } else {
      pack_b(args, k, depth, range.column_begin, range.column_end, own_right);
    }
    if (packed.left != nullptr) {
      left_square = all_steps * kPair;
      left = packed.left + range.row_begin / kSquare * left_square + k / kStep * kPair;
    } else if (args.transpose_a) {
      pack_a(args, k, depth, range.row_begin, range.row_end, own_left);
    }
    for (int64_t m = range.row_begin; m < range.row_end; m += kSquare) {
      const LeftTiles<uint16_t> a = args.transpose_a ? packed_left(left + (m - range.row_begin) / kSquare * left_square)
                                                     : left_tiles(static_cast<const uint16_t*>(args.a) + m * args.k + k,
                                                                  args.k, range.row_end - m, depth, own_left);
      for (int64_t n = range.column_begin; n < range.column_end; n += kSquare, turn ^= 1) {
        const int64_t share = (kSquare + 2 * steps - 1) / (2 * steps);  // of the rows of the square before
        Finish present(args, range, m, n, sums[turn], k == 0, k + depth == args.k);
        multiply_square<PairsOfBfloat16>(range.row_end - m, steps, a,
                                         right + (n - range.column_begin) / kSquare * right_square, sums[turn], kSquare,
                                         [&]() SUANLI_AMX {
                                           present.prefetch(share);
                                           previous.rows(share);
                                         });
        previous = present;
      }
    }
    previous.rows(kSquare);  // before the next block of K reads C
  }
}

/// All of an operand of `count` rows or columns, by all threads.
template <class Pack>
void pack_all(int64_t count, const Matmul& args, uint16_t* out, const Pack& pack) {
  const int64_t square = steps_of(args.k) * kPair;
  parallel_for(whole_squares(count) / kSquare, 65536 / square + 1, [&](int64_t begin, int64_t end) {
    pack(args, 0, args.k, begin * kSquare, std::min(count, end * kSquare), out + begin * square);
  });
}

/// All of a constant B, packed once; null at its first use.
const uint16_t* constant_b(const Matmul& args) {
  static const char maker = 0;
  if (args.b_forms == nullptr) return nullptr;
  const Storage* form = args.b_forms->get(&maker, args.b, {args.n, args.k, args.transpose_b ? 1 : 0}, [&] {
    auto packed = std::make_shared<Storage>(Device{}, packed_size(args.n, args.k) * int64_t{sizeof(uint16_t)});
    pack_all(args.n, args, static_cast<uint16_t*>(packed->memory()), pack_b);
    return packed;
  });
  return form == nullptr ? nullptr : static_cast<const uint16_t*>(form->memory());
}

/// Packing costs as much as some hundred rows of the product, so that what several tasks read is packed once for all;
/// not more of it than the last-level cache may hold.
constexpr int64_t kMostShared = 16 << 20;

void run_amx(const Matmul& args, Stream&) {
  if (args.m == 0 || args.n == 0) return;
  if (args.k == 0) return start_rows(args);
  const MatmulPlan plan(shape_of(args), kSquare, kSquare);
  Packed packed = {.left = nullptr, .right = constant_b(args)};
  const auto shared = [](bool wanted, int64_t size) { return wanted && size <= kMostShared ? size : 0; };
  const int64_t right = shared(packed.right == nullptr && plan.row_parts() > 1, packed_size(args.n, args.k));
  const int64_t left = shared(args.transpose_a && plan.column_parts() > 1, packed_size(args.m, args.k));
  uint16_t* memory = shared_scratch().get<uint16_t>(right + left);
  if (right > 0) {
    pack_all(args.n, args, memory, pack_b);
    packed.right = memory;
  }
  if (left > 0) {
    pack_all(args.m, args, memory + right, pack_a);
    packed.left = memory + right;
  }
  parallel_tasks(plan.tasks(), false, [&](int64_t task) { run_task(args, plan.tile(task), packed); });
}

Refusal can_run_amx(const Matmul& a, const Machine& machine) {
  if (a.dtype != DType::bf16) return "dtype is not bf16";
  return machine.isa == Isa::amx ? refuse_uncommon(a) : "needs AMX";
}

}  // namespace

void add_matmul_amx() { matmul.add({"amx", DeviceType::cpu, can_run_amx, run_amx}); }

}  // namespace suanli::kernels
