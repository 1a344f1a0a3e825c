// bf16 attention with all products on AMX tiles: scores and probabilities of 32 queries at a time; the softmax in f32.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_amx.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/attention.h"
#include "kernels/cpu/attention-inl.h"
#include "kernels/cpu/attention_tasks.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// Rows of scores to f(j) exp(score - maximum) in bf16 with zeros behind the keys; 1 / sum and lse of each.
void softmax_rows(const AttentionForward& a, const QueryRows& rows, const float* scores, bfloat16* p, float* inverse,
                  float* factors) {
  const DropoutFactors dropout_factors(a.dropout);
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t token = rows.token + i, keys = rows.keys_of(i);
    const float* row = scores + i * rows.stride;
    bfloat16* p_row = p + i * rows.stride;
    const float* f =
        a.dropout.probability > 0 ? dropout_factors(static_cast<uint64_t>(token) << 20, keys, factors) : nullptr;
    const RowSum s = exponentiate(row, keys, static_cast<float>(a.scale), f, p_row);
    inverse[i] = 1.0F / s.sum;
    if (a.lse != nullptr) static_cast<float*>(a.lse)[token] = s.maximum + std::log(s.sum);
    clear(p_row, keys, rows.width);
  }
}

/// p becomes f p and ds = scale p (f dp - delta), in bf16 with zeros behind the keys and the queries.
void gradient_rows(const AttentionBackward& a, const QueryRows& rows, const bfloat16* dout, const bfloat16* y,
                   const float* scores, const float* dp, bfloat16* p, bfloat16* ds, float* factors) {
  const DropoutFactors dropout_factors(a.dropout);
  const Vector scale = hn::Set(F32(), static_cast<float>(a.scale)), one = hn::Set(F32(), 1.0F);
  const int64_t width = a.head_size, row_width = a.heads * width, padded = rows.stride;
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t token = rows.token + i, keys = rows.keys_of(i);
    const Vector lse = hn::Set(F32(), static_cast<const float*>(a.lse)[token]);
    const Vector delta = hn::Set(F32(), dot(dout + i * row_width, y + i * row_width, width));
    const float* f =
        a.dropout.probability > 0 ? dropout_factors(static_cast<uint64_t>(token) << 20, keys, factors) : nullptr;
    each_vector(keys, [&](int64_t j, int64_t n) SUANLI_INLINE {
      const Vector e = exp_negative(hn::MulSub(load(scores + i * padded + j), scale, lse));
      const Vector factor = f == nullptr ? one : load(f + j);
      store(hn::Mul(e, factor), p + i * padded + j, n);
      store(hn::Mul(hn::Mul(e, scale), hn::MulSub(load(dp + i * padded + j), factor, delta)), ds + i * padded + j, n);
    });
    clear(p + i * padded, keys, rows.width);
    clear(ds + i * padded, keys, rows.width);
  }
  clear(p, rows.count * padded, 32 * padded);
  clear(ds, rows.count * padded, 32 * padded);
}

/// Rows of f32 to bf16, row i times factors[i] (null: 1).
void deliver_rows(const float* from, int64_t from_stride, int64_t rows, int64_t width, const float* factors,
                  bfloat16* to, int64_t to_stride) {
  for (int64_t i = 0; i < rows; ++i) {
    const Vector factor = hn::Set(F32(), factors == nullptr ? 1.0F : factors[i]);
    each_vector(width, [&](int64_t c, int64_t n) SUANLI_INLINE {
      store(hn::Mul(load(from + i * from_stride + c), factor), to + i * to_stride + c, n);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/amx_product.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {
HWY_EXPORT(softmax_rows);
HWY_EXPORT(gradient_rows);
HWY_EXPORT(deliver_rows);

namespace {

constexpr int64_t kLongest = 1024;  // backward holds two [keys, keys] in bf16
constexpr int64_t kShort = 48;      // below this mean length squares of 32 are mostly padding (docs/log.md)

/// Cuts one block of scratch memory into aligned parts.
class Parts {
 public:
  template <class T>
  T* take(int64_t count) {
    T* const part = reinterpret_cast<T*>(memory_ + used_);
    used_ += (count * static_cast<int64_t>(sizeof(T)) + 63) / 64 * 64;
    return part;
  }
  explicit Parts(int64_t bytes) : memory_(local_scratch().get<std::byte>(bytes)) {}

 private:
  std::byte* memory_;
  int64_t used_ = 0;
};

/// A packed right operand of some steps of depth, and the steps that a product takes of it.
struct Steps {
  int64_t packed, begin, end;
  explicit Steps(int64_t depth) : Steps{depth, 0, depth} {}
  Steps(int64_t depth, int64_t from, int64_t to) : packed(steps_of(depth)), begin(from / kStep), end(steps_of(to)) {}
};

/// c [32, columns] = left right, whole squares, over the steps [begin, end) of both; of at most 16 `rows` only those.
SUANLI_AMX void multiply_rows(int64_t rows, const Steps& steps, LeftTiles<uint16_t> left, const uint16_t* right,
                              int64_t columns, float* c, int64_t c_stride) {
  left.data += steps.begin * left.step;
  for (int64_t n = 0; n < columns; n += kSquare) {
    multiply_square<PairsOfBfloat16>(rows, steps.end - steps.begin, left,
                                     right + n * steps.packed * kStep + steps.begin * kPair, c + n, c_stride, [] {});
  }
}

/// The rows of queries [block, block + count) that see `seen` keys together; `token` is the first one's element in lse.
template <class Args>
QueryRows query_rows(const Args& a, int64_t token, int64_t block, int64_t count, int64_t seen, int64_t stride) {
  return {token, count, a.causal ? block + 1 : seen, a.causal ? 1 : 0, steps_of(seen) * kStep, stride};
}

/// Asks for the lines of a head: its rows lie far apart, and loops that wait for them as they come get a fraction of
/// what memory gives.
SUANLI_AMX void prefetch_rows(const uint16_t* x, int64_t stride, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < width; c += 32) __builtin_prefetch(x + r * stride + c);
  }
}
SUANLI_AMX void prefetch_rows_to_write(const uint16_t* x, int64_t stride, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r) prefetch_to_write(x + r * stride, width * int64_t{sizeof(*x)});
}

/// A left operand of 32 rows that lie dense with `stride` (a multiple of 32) elements between them.
LeftTiles<uint16_t> dense_left(const uint16_t* data, int64_t stride) { return {data, stride, kStep, 16 * stride}; }

/// Query rows [begin, end) of one head of one sequence.
SUANLI_AMX void forward_task(const AttentionForward& a, int64_t sequence, int64_t head, int64_t begin, int64_t end) {
  const int64_t first = a.offsets[sequence], length = a.offsets[sequence + 1] - first, width = a.head_size;
  const int64_t keys = a.causal ? end : length, padded = steps_of(keys) * kStep;
  const auto at = [&](const void* base, int64_t row, int64_t of_head) SUANLI_AMX {
    return static_cast<const uint16_t*>(base) + (first + row) * a.stride + of_head * width;
  };
  Parts parts(2 * (2 * padded * width + kSquare * width + kSquare * padded) +
              4 * (kSquare * padded + kSquare * width + kSquare + padded + 256) + 1024);
  uint16_t *k = parts.take<uint16_t>(padded * width), *v = parts.take<uint16_t>(padded * width);
  uint16_t *buffer = parts.take<uint16_t>(kSquare * width), *p = parts.take<uint16_t>(kSquare * padded);
  float *scores = parts.take<float>(kSquare * padded), *out = parts.take<float>(kSquare * width);
  float *inverse = parts.take<float>(kSquare), *factors = parts.take<float>(padded + 256);
  pack_right_transposed(at(a.k, 0, head / a.group), a.stride, keys, width, k);
  pack_right(at(a.v, 0, head / a.group), a.stride, keys, width, v);
  const TileConfiguration tiles;
  for (int64_t block = begin; block < end; block += kSquare) {
    const int64_t queries = std::min(kSquare, end - block), seen = a.causal ? block + queries : keys;
    multiply_rows(queries, Steps(width), left_tiles(at(a.q, block, head), a.stride, queries, width, buffer), k, seen,
                  scores, padded);
    HWY_DYNAMIC_DISPATCH(softmax_rows)
    (a, query_rows(a, head * a.tokens + first + block, block, queries, seen, padded), scores,
     reinterpret_cast<bfloat16*>(p), inverse, factors);
    multiply_rows(queries, Steps(keys, 0, seen), dense_left(p, padded), v, width, out, width);
    bfloat16* y = static_cast<bfloat16*>(a.out) + ((first + block) * a.heads + head) * width;
    HWY_DYNAMIC_DISPATCH(deliver_rows)(out, width, queries, width, inverse, y, a.heads * width);
  }
}

/// Rows [32, keys] of p or ds as a part of the left operand [keys, queries]: step `step` of its `steps`.
SUANLI_AMX void keep_transposed(const uint16_t* rows, int64_t stride, int64_t keys, int64_t step, int64_t steps,
                                uint16_t* out) {
  __m512i tile[16];
  for (int64_t key = 0; key < keys; key += 16) {
    load_row_pairs(rows + key, stride, kStep, 16, tile);
    transpose_16(tile);
    store_tile(tile, out + packed_place(key, step, steps), kStep);
  }
}

SUANLI_AMX void backward_task(const AttentionBackward& a, int64_t sequence, int64_t head) {
  const int64_t first = a.offsets[sequence], keys = a.offsets[sequence + 1] - first, width = a.head_size;
  const int64_t padded = steps_of(keys) * kStep, steps = padded / kStep, row_width = a.heads * width;
  const auto place = [&](int64_t row) SUANLI_AMX { return (first + row) * a.stride + head * width; };
  const auto in = [&](const void* base, int64_t row)
                      SUANLI_AMX { return static_cast<const uint16_t*>(base) + place(row); };
  const auto narrow = [&](const void* base, int64_t row) SUANLI_AMX {
    return static_cast<const uint16_t*>(base) + (first + row) * row_width + head * width;
  };
  Parts parts(2 * (5 * padded * width + 2 * padded * padded + kSquare * (width + 2 * padded)) +
              4 * (kSquare * (2 * padded + width) + padded + 256) + 2048);
  const auto operand = [&] { return parts.take<uint16_t>(padded * width); };
  uint16_t *k_t = operand(), *v_t = operand(), *k = operand(), *q = operand(), *dout = operand();
  uint16_t *p_t = parts.take<uint16_t>(padded * padded), *ds_t = parts.take<uint16_t>(padded * padded);
  uint16_t* buffer = parts.take<uint16_t>(kSquare * width);
  uint16_t *p = parts.take<uint16_t>(kSquare * padded), *ds = parts.take<uint16_t>(kSquare * padded);
  float *scores = parts.take<float>(kSquare * padded), *dp = parts.take<float>(kSquare * padded);
  float *out = parts.take<float>(kSquare * width), *factors = parts.take<float>(padded + 256);
  for (const void* x : {a.k, a.v, a.q}) prefetch_rows(in(x, 0), a.stride, keys, width);
  for (const void* gradient : {a.dq, a.dk, a.dv}) prefetch_rows_to_write(in(gradient, 0), a.stride, keys, width);
  for (const void* x : {a.dout, a.out}) prefetch_rows(narrow(x, 0), row_width, keys, width);
  pack_right_transposed(in(a.k, 0), a.stride, keys, width, k_t);
  pack_right_transposed(in(a.v, 0), a.stride, keys, width, v_t);
  pack_right(in(a.k, 0), a.stride, keys, width, k);
  pack_right(in(a.q, 0), a.stride, keys, width, q);
  pack_right(narrow(a.dout, 0), row_width, keys, width, dout);
  const auto deliver = [&](void* base, int64_t row) {
    const int64_t rows = std::min(kSquare, keys - row);
    HWY_DYNAMIC_DISPATCH(deliver_rows)
    (out, width, rows, width, nullptr, static_cast<bfloat16*>(base) + place(row), a.stride);
  };
  const TileConfiguration tiles;
  for (int64_t block = 0; block < keys; block += kSquare) {
    const int64_t queries = std::min(kSquare, keys - block), seen = a.causal ? block + queries : keys;
    multiply_rows(queries, Steps(width), left_tiles(in(a.q, block), a.stride, queries, width, buffer), k_t, seen,
                  scores, padded);
    multiply_rows(queries, Steps(width), left_tiles(narrow(a.dout, block), row_width, queries, width, buffer), v_t,
                  seen, dp, padded);
    HWY_DYNAMIC_DISPATCH(gradient_rows)
    (a, query_rows(a, head * a.tokens + first + block, block, queries, seen, padded),
     reinterpret_cast<const bfloat16*>(narrow(a.dout, block)), reinterpret_cast<const bfloat16*>(narrow(a.out, block)),
     scores, dp, reinterpret_cast<bfloat16*>(p), reinterpret_cast<bfloat16*>(ds), factors);
    multiply_rows(queries, Steps(keys, 0, seen), dense_left(ds, padded), k, width, out, width);
    deliver(a.dq, block);
    keep_transposed(p, padded, seen, block / kSquare, steps, p_t);
    keep_transposed(ds, padded, seen, block / kSquare, steps, ds_t);
  }
  for (int64_t row = 0; row < keys; row += kSquare) {
    const Steps queries(keys, a.causal ? row : 0, keys);
    multiply_rows(keys - row, queries, packed_left(p_t + row * padded), dout, width, out, width);
    deliver(a.dv, row);
    multiply_rows(keys - row, queries, packed_left(ds_t + row * padded), q, width, out, width);
    deliver(a.dk, row);
  }
}

template <class Args>
Refusal can_run_amx(const Args& a, const Machine& machine) {
  if (a.dtype != DType::bf16) return "dtype is not bf16";
  if (machine.isa != Isa::amx) return "needs AMX";
  if (a.head_size % kStep != 0) return "head size is no multiple of 32";
  if (a.tokens < kShort * a.sequences) return "sequences are short";
  if constexpr (std::is_same_v<Args, AttentionBackward>) {
    if (a.group != 1) return "query heads share keys and values";
  }
  return a.longest <= kLongest ? nullptr : "a sequence is longer than 1024";
}

void run_forward_amx(const AttentionForward& a, Stream&) {
  const bool small = a.tokens * a.longest * a.heads * a.head_size < (1 << 20);
  each_query_range(a, small, [&](int64_t sequence, int64_t head, int64_t begin, int64_t end) {
    forward_task(a, sequence, head, begin, end);
  });
}

void run_backward_amx(const AttentionBackward& a, Stream&) {
  const bool small = a.tokens * a.longest * a.heads * a.head_size < (1 << 19);
  parallel_tasks(a.sequences * a.heads, small, [&](int64_t task) {
    const int64_t sequence = task / a.heads;
    if (a.offsets[sequence] < a.offsets[sequence + 1]) backward_task(a, sequence, task % a.heads);
  });
}

}  // namespace

void add_attention_amx() {
  attention_forward.add({"amx", DeviceType::cpu, can_run_amx<AttentionForward>, run_forward_amx});
  attention_backward.add({"amx", DeviceType::cpu, can_run_amx<AttentionBackward>, run_backward_amx});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
