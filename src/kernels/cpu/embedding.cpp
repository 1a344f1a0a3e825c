#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/embedding.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/scratch.h"
#include "kernels/cpu/simd-inl.h"
#include "kernels/embedding.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class From, class To>
void gather_as(const EmbeddingForward& a, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    convert(static_cast<const From*>(a.table) + a.ids[t] * a.width, static_cast<To*>(a.y) + t * a.width, a.width);
  }
}
void embedding_gather(const EmbeddingForward& a, int64_t begin, int64_t end) {
  const bool from_f32 = a.table_dtype == DType::f32, to_f32 = a.dtype == DType::f32;
  if (from_f32 && to_f32) return gather_as<float, float>(a, begin, end);
  if (from_f32) return gather_as<float, bfloat16>(a, begin, end);
  if (to_f32) return gather_as<bfloat16, float>(a, begin, end);
  gather_as<bfloat16, bfloat16>(a, begin, end);
}

/// Columns [begin, end) of the rows of one table row, which tokens[0..count) point to.
template <class From, class To>
void sum_row(const EmbeddingBackward& a, int64_t row, const int32_t* tokens, int64_t count, int64_t begin,
             int64_t end) {
  To* out = static_cast<To*>(a.dtable) + row * a.width;
  const From* dy = static_cast<const From*>(a.dy);
  const int64_t lanes = lane_count();
  int64_t c = begin;
  for (; c + 4 * lanes <= end; c += 4 * lanes) {
    Vector s0 = hn::Zero(F32()), s1 = s0, s2 = s0, s3 = s0;
    for (int64_t i = 0; i < count; ++i) {
      const From* x = dy + tokens[i] * a.width + c;
      s0 = hn::Add(s0, load(x));
      s1 = hn::Add(s1, load(x + lanes));
      s2 = hn::Add(s2, load(x + 2 * lanes));
      s3 = hn::Add(s3, load(x + 3 * lanes));
    }
    store(s0, out + c);
    store(s1, out + c + lanes);
    store(s2, out + c + 2 * lanes);
    store(s3, out + c + 3 * lanes);
  }
  each_vector(end - c, [&](int64_t i, int64_t n) SUANLI_INLINE {
    Vector sum = hn::Zero(F32());
    for (int64_t t = 0; t < count; ++t) sum = hn::Add(sum, load(dy + tokens[t] * a.width + c + i, n));
    store(sum, out + c + i, n);
  });
}
void embedding_sum_row(const EmbeddingBackward& a, int64_t row, const int32_t* tokens, int64_t count, int64_t begin,
                       int64_t end) {
  const bool from_f32 = a.dtype == DType::f32, to_f32 = a.table_dtype == DType::f32;
  if (from_f32 && to_f32) return sum_row<float, float>(a, row, tokens, count, begin, end);
  if (from_f32) return sum_row<float, bfloat16>(a, row, tokens, count, begin, end);
  if (to_f32) return sum_row<bfloat16, float>(a, row, tokens, count, begin, end);
  sum_row<bfloat16, bfloat16>(a, row, tokens, count, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>

#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(embedding_gather);
HWY_EXPORT(embedding_sum_row);

namespace {
/// Tokens in order of their id, and of their place among equal ids (a counting sort): those of id v are
/// tokens[starts[v] .. starts[v + 1]).
struct TokensById {
  TokensById(const EmbeddingBackward& a)
      : starts(shared_scratch().get<int32_t>(a.vocab + 2 + a.rows)), tokens(starts + a.vocab + 2) {
    std::fill_n(starts, a.vocab + 2, 0);
    for (int64_t t = 0; t < a.rows; ++t) ++starts[a.ids[t] + 2];
    for (int64_t v = 2; v < a.vocab + 2; ++v) starts[v] += starts[v - 1];
    for (int64_t t = 0; t < a.rows; ++t) tokens[starts[a.ids[t] + 1]++] = static_cast<int32_t>(t);
  }
  int32_t *starts, *tokens;
};

/// Each task owns a range of table rows, and of columns where the table has few rows: nothing is written twice.
void run_backward(const EmbeddingBackward& a, Stream&) {
  constexpr int64_t kRows = 256, kColumns = 64;
  const TokensById by_id(a);
  const int64_t row_blocks = (a.vocab + kRows - 1) / kRows;
  const int64_t columns = row_blocks >= 16 ? std::max<int64_t>(a.width, 1) : kColumns;
  const int64_t column_blocks = (a.width + columns - 1) / columns, row_bytes = a.width * size_of(a.table_dtype);
  const bool small = (a.vocab + a.rows) * a.width < (1 << 16);
  parallel_tasks(row_blocks * column_blocks, small, [&](int64_t task) {
    const int64_t first = task / column_blocks * kRows, begin = task % column_blocks * columns;
    const int64_t end = std::min(a.width, begin + columns);
    for (int64_t v = first; v < std::min(a.vocab, first + kRows); ++v) {
      const int64_t count = by_id.starts[v + 1] - by_id.starts[v];
      if (count == 0) {
        std::memset(static_cast<std::byte*>(a.dtable) + v * row_bytes + begin * size_of(a.table_dtype), 0,
                    static_cast<size_t>((end - begin) * size_of(a.table_dtype)));
      } else {
        HWY_DYNAMIC_DISPATCH(embedding_sum_row)(a, v, by_id.tokens + by_id.starts[v], count, begin, end);
      }
    }
  });
}
}  // namespace

void add_embedding() {
  embedding_forward.add({"simd", DeviceType::cpu,
                         [](const EmbeddingForward& a, const Machine& m) {
                           const Refusal refusal = refuse_unless_simd(m, a.dtype);
                           return refusal != nullptr ? refusal : refuse_unless_simd(m, a.table_dtype);
                         },
                         [](const EmbeddingForward& a, Stream&) {
                           parallel_for(a.rows, 32768 / (a.width + 1), [&](int64_t begin, int64_t end) {
                             HWY_DYNAMIC_DISPATCH(embedding_gather)(a, begin, end);
                           });
                         }});
  embedding_backward.add({"simd", DeviceType::cpu,
                          [](const EmbeddingBackward& a, const Machine& m) {
                            const Refusal refusal = refuse_unless_simd(m, a.dtype);
                            return refusal != nullptr ? refusal : refuse_unless_simd(m, a.table_dtype);
                          },
                          run_backward});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
