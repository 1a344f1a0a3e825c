// Attention over a cache of keys and values: new rows come behind the old ones, and every query sees those before it.
#include "kernels/cached_attention.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::CacheAppend;
using kernels::CachedAttention;
using kernels::KeyValueCache;

struct CacheShape {
  std::vector<int64_t> held, added;  ///< tokens of each sequence before the call and in it
  int64_t heads, group, head_size, capacity;
};
const std::vector<CacheShape> kShapes = {{{}, {}, 2, 1, 8, 4},
                                         {{0}, {1}, 1, 1, 1, 1},
                                         {{3, 0, 9}, {1, 1, 1}, 4, 2, 8, 10},
                                         {{40, 7}, {1, 3}, 6, 3, 32, 43},
                                         {{33}, {1}, 9, 3, 64, 64},
                                         {{5, 64}, {17, 0}, 2, 1, 20, 64},
                                         {{100}, {1}, 2, 2, 80, 128}};

struct Layout {
  explicit Layout(const CacheShape& s)
      : sequences(static_cast<int64_t>(s.held.size())),
        key_heads(s.heads / s.group),
        stride((s.heads + 2 * key_heads) * s.head_size),
        elements(sequences * key_heads * s.capacity * s.head_size) {
    for (size_t b = 0; b < s.held.size(); ++b) {
      offsets.push_back(offsets.back() + static_cast<double>(s.added[b]));
      lengths.push_back(static_cast<double>(s.held[b]));
      longest = std::max(longest, s.added[b]);
      most_keys = std::max(most_keys, s.held[b] + s.added[b]);
    }
    tokens = static_cast<int64_t>(offsets.back());
  }
  int64_t sequences, key_heads, stride, elements, tokens = 0, longest = 0, most_keys = 0;
  Values offsets = {0}, lengths;
};

KeyValueCache cache_of(const CacheShape& s, const Layout& l, void* keys, void* values, void* offsets, void* lengths) {
  return {.keys = keys,
          .values = values,
          .offsets = static_cast<const int32_t*>(offsets),
          .lengths = static_cast<const int32_t*>(lengths),
          .tokens = l.tokens,
          .sequences = l.sequences,
          .longest = l.longest,
          .capacity = s.capacity,
          .key_heads = l.key_heads,
          .head_size = s.head_size};
}

// Arrays: 0 qkv, 1 offsets, 2 lengths, 3 keys, 4 values. What is not written keeps its -77.
Problem<CacheAppend> append_problem(const CacheShape& s) {
  const Layout l(s);
  const auto exactly = [](size_t, const std::vector<Values>&, DType) { return 0.0; };
  return {"append",
          {Array::input("qkv", normal(l.tokens * l.stride, 80)), Array::input("offsets", l.offsets, Kind::index),
           Array::input("lengths", l.lengths, Kind::index), Array::output("keys", l.elements, exactly),
           Array::output("values", l.elements, exactly)},
          [=](DType dtype, const Pointers& p) {
            const auto column = [&](int64_t c) { return static_cast<std::byte*>(p[0]) + c * size_of(dtype); };
            return CacheAppend{column(s.heads * s.head_size), column((s.heads + l.key_heads) * s.head_size),
                               cache_of(s, l, p[3], p[4], p[1], p[2]), l.stride, dtype};
          }};
}

// Arrays: 0 qkv, 1 offsets, 2 lengths, 3 keys, 4 values, 5 out.
Problem<CachedAttention> attention_problem(const CacheShape& s, double size = 1) {
  const Layout l(s);
  const double scale = 1 / std::sqrt(static_cast<double>(s.head_size));
  // As of attention(): a score carries the roundings of its dot product, exp makes a relative error of that, the sums
  // over keys add theirs. Norms and the largest value are those of all rows; 1.02 holds the rounding to bf16.
  double q = 0, k = 0, v = 0;
  const Values qkv = normal(l.tokens * l.stride, 81, size), keys = normal(l.elements, 82),
               values = normal(l.elements, 83);
  for (int64_t t = 0; t < l.tokens; ++t) q = std::max(q, norm(qkv.data() + t * l.stride, s.heads * s.head_size));
  for (int64_t r = 0; r < l.elements; r += s.head_size) k = std::max(k, norm(keys.data() + r, s.head_size));
  v = largest(values.data(), l.elements);
  const auto bound = [=](size_t, const std::vector<Values>&, DType dtype) {
    const DType sums = sum_dtype(dtype);
    const double score = sum_error(sums, s.head_size + 4, scale * 1.02 * q * 1.02 * k);
    return (2 * score + 2 * function_error(sums, 1) + sum_error(sums, l.most_keys, 2)) * 1.02 * v;
  };
  return {"attend over " + std::to_string(l.most_keys) + ", " + std::to_string(s.heads) + " heads of " +
              std::to_string(s.head_size),
          {Array::input("qkv", qkv), Array::input("offsets", l.offsets, Kind::index),
           Array::input("lengths", l.lengths, Kind::index), Array::input("keys", keys), Array::input("values", values),
           Array::output("out", l.tokens * s.heads * s.head_size, bound)},
          [=](DType dtype, const Pointers& p) {
            return CachedAttention{.q = p[0],
                                   .cache = cache_of(s, l, p[3], p[4], p[1], p[2]),
                                   .out = p[5],
                                   .heads = s.heads,
                                   .stride = l.stride,
                                   .scale = scale,
                                   .dtype = dtype,
                                   .pairs = 1e9};
          }};
}

TEST(CacheAppend, WritesTheNewRowsAndNothingElse) {
  for (const CacheShape& shape : kShapes) {
    check_all(kernels::cache_append, append_problem(shape));
    if (::testing::Test::HasFailure()) return;
  }
}
TEST(CachedAttention, EveryShape) {
  for (const CacheShape& shape : kShapes) {
    check_all(kernels::cached_attention, attention_problem(shape));
    if (::testing::Test::HasFailure()) return;
  }
}
// Scores in the hundreds: the softmax is nearly a choice and must not overflow.
TEST(CachedAttention, LargeScoresDoNotOverflow) {
  const auto problem = attention_problem({{40, 7}, {1, 3}, 6, 3, 32, 43}, 300);
  check(kernels::cached_attention, problem, DType::f64);
  check(kernels::cached_attention, problem, DType::f32);
}

}  // namespace
}  // namespace suanli::testing
