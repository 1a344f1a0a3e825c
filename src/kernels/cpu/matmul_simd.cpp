#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/matmul_simd.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/activation_sums.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/matmul_plan.h"
#include "kernels/cpu/product-inl.h"
#include "kernels/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// The register block: kTileRows x kTileVectors sums. A depth of kDepth keeps a panel of B in the first-level cache
/// beside a tile of A; kBlockRows rows of A are prepared at a time.
#if HWY_TARGET == HWY_AVX3
inline constexpr int64_t kTileRows = 8, kTileVectors = 3;
#else
inline constexpr int64_t kTileRows = 6, kTileVectors = 2;
#endif
inline constexpr int64_t kDepth = 384, kBlockRows = 96;

HWY_INLINE int64_t panel_width() { return kTileVectors * lane_count(); }
HWY_INLINE int64_t padded_columns(int64_t n) { return (n + panel_width() - 1) / panel_width() * panel_width(); }

template <int64_t M>
HWY_NOINLINE void tile(int64_t depth, Left a, const float* b, float* c, int64_t c_stride, const float* start,
                       int64_t start_stride, const float* next) {
  register_block<M, kTileVectors>(depth, a, b, panel_width(), c, c_stride, start, start_stride, next);
}

using TileFunction = void (*)(int64_t, Left, const float*, float*, int64_t, const float*, int64_t, const float*);
inline constexpr TileFunction kTiles[] = {nullptr, tile<1>, tile<2>, tile<3>, tile<4>, tile<5>, tile<6>,
#if HWY_TARGET == HWY_AVX3
                                          tile<7>, tile<8>
#endif
};

/// The panels of B for rows [k, k + depth) and the columns of a task: panel p at out + p * depth * panel_width().
template <class T>
void pack_b(const Matmul& args, int64_t k, int64_t depth, const Tile& range, float* out) {
  const T* b = static_cast<const T*>(args.b);
  const int64_t width = panel_width();
  for (int64_t n = range.column_begin; n < range.column_end; n += width, out += depth * width) {
    const int64_t columns = HWY_MIN(width, range.column_end - n);
    if (args.transpose_b) {
      transpose(b + n * args.k + k, args.k, columns, depth, out, width);
      continue;
    }
    for (int64_t row = 0; row < depth; ++row) {
      const T* from = b + (k + row) * args.n + n;
      each_vector(width, [&](int64_t i, int64_t lanes) SUANLI_INLINE {
        const int64_t there = HWY_MAX(int64_t{0}, HWY_MIN(columns - i, lanes));
        store(load(from + i, there), out + row * width + i);
      });
    }
  }
}

/// Rows [m, m + rows) of A, columns [k, k + depth): in place where A is f32 and not transposed, else copied.
template <class T>
Left left_block(const Matmul& args, int64_t m, int64_t rows, int64_t k, int64_t depth, float* buffer) {
  const T* a = static_cast<const T*>(args.a);
  if (args.transpose_a) {
    for (int64_t i = 0; i < depth; ++i) convert(a + (k + i) * args.m + m, buffer + i * kBlockRows, rows);
    return {buffer, 1, kBlockRows};
  }
  for (int64_t i = 0; i < rows; ++i) convert(a + (m + i) * args.k + k, buffer + i * depth, depth);
  return {buffer, depth, 1};
}

/// One panel of columns for the rows of a block, while the `next` (null: none) is fetched. Where C ends within the
/// panel, tiles pass through a buffer.
HWY_INLINE void block_times_panel(int64_t rows, int64_t columns, int64_t depth, Left a, const float* panel,
                                  const float* next, float* c, int64_t c_stride, const float* start,
                                  int64_t start_stride) {
  const int64_t width = panel_width();
  HWY_ALIGN float edge[kTileRows * kTileVectors * HWY_MAX_BYTES / sizeof(float)];
  for (int64_t m = 0; m < rows; m += kTileRows) {
    const int64_t count = HWY_MIN(kTileRows, rows - m);
    const Left left = {a.data + m * a.row, a.row, a.column};
    const float* from = start == nullptr ? nullptr : start + m * start_stride;
    if (columns == width) {
      kTiles[count](depth, left, panel, c + m * c_stride, c_stride, from, start_stride, m == 0 ? next : nullptr);
      continue;
    }
    for (int64_t r = 0; from != nullptr && r < count; ++r) {
      convert(from + r * start_stride, edge + r * width, columns);
    }
    kTiles[count](depth, left, panel, edge, width, from == nullptr ? nullptr : edge, width, nullptr);
    for (int64_t r = 0; r < count; ++r) convert(edge + r * width, c + (m + r) * c_stride, columns);
  }
}

/// One row of sums to a 16-bit C, by way of the epilogue; `at` is its first element in C, `slopes` room for the row.
void finish_row(const Matmul& args, int64_t at, int64_t columns, float* sums, float* slopes) {
  bfloat16* c = static_cast<bfloat16*>(args.c) + at;
  const auto combine = [&](const bfloat16* with, auto f) SUANLI_INLINE {
    each_vector(columns,
                [&](int64_t i, int64_t n) SUANLI_INLINE { store(f(load(sums + i), load(with + i, n)), sums + i); });
  };
  if (args.accumulate) combine(c, [](Vector a, Vector b) SUANLI_INLINE { return hn::Add(a, b); });
  if (args.epilogue.activation) {
    auto* slope = static_cast<bfloat16*>(args.epilogue.slope);
    activate_sums(*args.epilogue.activation, sums, slope == nullptr ? nullptr : slopes, columns);
    if (slope != nullptr) convert(slopes, slope + at, columns);
  }
  if (args.epilogue.factor != nullptr) {
    combine(static_cast<const bfloat16*>(args.epilogue.factor) + at,
            [](Vector a, Vector b) SUANLI_INLINE { return hn::Mul(a, b); });
  }
  convert(sums, c, columns);
}

/// C of one task. Sums start from the bias, the old C or 0; a 16-bit C is summed in f32 and rounded at the end.
/// `packed`: all of B as pack_range() lays it out, or null.
template <class T, class C>
void task_as(const Matmul& args, const Tile& range, const float* packed) {
  const int64_t width = panel_width(), rows = range.row_end - range.row_begin;
  const int64_t used = range.column_end - range.column_begin, columns = (used + width - 1) / width * width;
  constexpr bool kDirect = std::is_same_v<C, float>;
  const int64_t b_columns = packed == nullptr ? columns : 0;
  float* memory = local_scratch().get<float>(kDepth * (b_columns + kBlockRows + HWY_MAX_BYTES) + columns +
                                             (kDirect ? 0 : (rows + 1) * columns));
  float *b = memory, *a = b + kDepth * b_columns, *bias = a + kDepth * (kBlockRows + HWY_MAX_BYTES);
  float* c = bias + columns;
  int64_t c_stride = columns;
  if constexpr (kDirect) {
    c = static_cast<float*>(args.c) + range.row_begin * args.n + range.column_begin;
    c_stride = args.n;
  }
  if (args.bias != nullptr) {
    const int64_t n = range.column_begin;
    args.bias_dtype == DType::f32 ? convert(static_cast<const float*>(args.bias) + n, bias, used)
                                  : convert(static_cast<const bfloat16*>(args.bias) + n, bias, used);
  }
  for (int64_t k = 0; k < args.k; k += kDepth) {
    const int64_t depth = HWY_MIN(kDepth, args.k - k);
    const float* right = b;
    if (packed != nullptr) {
      right = packed + k * padded_columns(args.n) + range.column_begin * depth;
    } else {
      pack_b<T>(args, k, depth, range, b);
    }
    for (int64_t m = 0; m < rows; m += kBlockRows) {
      const int64_t count = HWY_MIN(kBlockRows, rows - m);
      const Left left = left_block<T>(args, range.row_begin + m, count, k, depth, a);
      for (int64_t n = 0; n < used; n += width) {
        float* at = c + m * c_stride + n;
        const int64_t there = HWY_MIN(width, used - n);
        const bool goes_on = k > 0 || (kDirect && args.accumulate);
        const float* start = goes_on ? at : args.bias != nullptr ? bias + n : nullptr;
        const float* panel = right + n * depth;
        const float* next = packed != nullptr && n + width < used ? panel + width * depth : nullptr;
        block_times_panel(count, there, depth, left, panel, next, at, c_stride, start, goes_on ? c_stride : 0);
        if (kDirect && k + depth == args.k) {
          const int64_t row = range.row_begin + m, column = range.column_begin + n;
          finish_f32(args, {row, row + count, column, column + there}, false);
        }
      }
    }
  }
  if constexpr (!kDirect) {
    for (int64_t m = 0; m < rows; ++m) {
      finish_row(args, (range.row_begin + m) * args.n + range.column_begin, used, c + m * columns, c + rows * columns);
    }
  }
}

void matmul_task(const Matmul& args, const Tile& range, const float* packed) {
  if (args.dtype == DType::f32) return task_as<float, float>(args, range, packed);
  if (args.c_dtype == DType::f32) return task_as<bfloat16, float>(args, range, packed);
  task_as<bfloat16, bfloat16>(args, range, packed);
}

/// Panels [begin, end) of B into their places among all, which lie block by block of its rows: matmul_packed_size()
/// numbers.
void pack_range(const Matmul& args, int64_t begin, int64_t end, float* out) {
  const int64_t width = panel_width();
  const Tile columns = {0, 0, begin * width, HWY_MIN(args.n, end * width)};
  for (int64_t k = 0; k < args.k; k += kDepth) {
    const int64_t depth = HWY_MIN(kDepth, args.k - k);
    float* to = out + k * padded_columns(args.n) + begin * width * depth;
    args.dtype == DType::f32 ? pack_b<float>(args, k, depth, columns, to)
                             : pack_b<bfloat16>(args, k, depth, columns, to);
  }
}

int64_t matmul_packed_size(const Matmul& args) { return args.k * padded_columns(args.n); }

int64_t matmul_panel_width() { return panel_width(); }

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "tensor/tensor.h"

namespace suanli::kernels {
HWY_EXPORT(matmul_task);
HWY_EXPORT(matmul_panel_width);
HWY_EXPORT(pack_range);
HWY_EXPORT(matmul_packed_size);

namespace {

constexpr int64_t kFewRows = 64;  // A is read so fast that tasks may be as narrow as a panel
constexpr int64_t kMostPackedRows = 512;
constexpr int64_t kMostShared = 32 << 20;  // bytes of a B that is packed for all tasks at once

void run(const Matmul& args, const float* packed) {
  Matmul a = args;
  if (a.accumulate && a.bias != nullptr && a.c_dtype == DType::f32) {  // rare: the bias first, then C += A B
    start_rows(a);
    a.bias = nullptr;
  }
  const int64_t width = HWY_DYNAMIC_DISPATCH(matmul_panel_width)();
  const MatmulPlan plan(shape_of(a), 1, width, a.m <= kFewRows ? 2 * width : 192);
  parallel_tasks(plan.tasks(), false, [&](int64_t task) {
    HWY_DYNAMIC_DISPATCH(matmul_task)(a, plan.tile(task), packed);
  });
}

void pack(const Matmul& args, float* out) {
  const int64_t width = HWY_DYNAMIC_DISPATCH(matmul_panel_width)();
  parallel_for((args.n + width - 1) / width, 1, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(pack_range)(args, begin, end, out);
  });
}

/// B is packed once for all tasks where several of them read the same columns, else by each task.
void run_simd(const Matmul& args, Stream&) {
  if (args.m == 0 || args.n == 0) return;
  if (args.k == 0) return start_rows(args);
  const int64_t size = HWY_DYNAMIC_DISPATCH(matmul_packed_size)(args);
  if (args.m <= kMostPackedRows || size * int64_t{sizeof(float)} > kMostShared) return run(args, nullptr);
  float* packed = shared_scratch().get<float>(size);
  pack(args, packed);
  run(args, packed);
}

/// With all of a constant B packed once, from its second use on.
void run_packed(const Matmul& args, Stream& stream) {
  static const char maker = 0;
  if (args.m == 0 || args.n == 0 || args.k == 0) return run_simd(args, stream);
  const Storage* form = args.b_forms->get(&maker, args.b, {args.n, args.k, args.transpose_b ? 1 : 0}, [&] {
    const int64_t bytes = HWY_DYNAMIC_DISPATCH(matmul_packed_size)(args) * int64_t{sizeof(float)};
    auto packed = std::make_shared<Storage>(Device{}, bytes);
    pack(args, static_cast<float*>(packed->memory()));
    return packed;
  });
  run(args, form == nullptr ? nullptr : static_cast<const float*>(form->memory()));
}

Refusal can_run_simd(const Matmul& a, const Machine& m) {
  const Refusal refusal = refuse_unless_simd(m, a.dtype);
  return refusal != nullptr ? refusal : refuse_uncommon(a);
}

Refusal can_run_packed(const Matmul& a, const Machine& m) {
  if (a.b_forms == nullptr) return "B is not constant";
  if (a.dtype != DType::f32) return "dtype is not f32";
  if (a.m > kMostPackedRows) return "there are many rows, which pay for packing anew";
  if (m.isa == Isa::avx2 && a.m > kFewRows) return "oneDNN's AVX2 block is the faster one, packing included";
  return can_run_simd(a, m);
}
}  // namespace

void add_matmul_packed() { matmul.add({"simd_packed", DeviceType::cpu, can_run_packed, run_packed}); }

void add_matmul_simd() { matmul.add({"simd", DeviceType::cpu, can_run_simd, run_simd}); }
}  // namespace suanli::kernels
#endif  // HWY_ONCE
