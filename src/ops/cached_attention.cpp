#include "ops/cached_attention.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "kernels/attention.h"
#include "kernels/cached_attention.h"
#include "ops/attention.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

/// Throws UserError unless every sequence fits the cache. Pairs of queries and keys; `any` tells of earlier tokens.
double check_lengths(const Tensor& offsets, const Tensor& lengths, int64_t capacity, bool& any) {
  const Tensor ends = on_host(offsets), before = on_host(lengths);
  double pairs = 0;
  for (int64_t b = 0; b < lengths.dim(0); ++b) {
    const auto at = static_cast<size_t>(b);
    const int64_t held = before.host<int32_t>()[at], added = ends.host<int32_t>()[at + 1] - ends.host<int32_t>()[at];
    if (held < 0 || held + added > capacity) {
      throw UserError("cached_attention", "expected at most " + std::to_string(capacity) +
                                              " tokens in a sequence, got " + std::to_string(held) + " and " +
                                              std::to_string(added) + " new ones in sequence " + std::to_string(b));
    }
    any = any || held > 0;
    pairs += static_cast<double>(added * held) + static_cast<double>(added * (added + 1)) / 2;
  }
  return pairs;
}

}  // namespace

Tensor cached_attention(const Tensor& qkv, const Tensor& offsets, const Tensor& lengths, const Tensor& keys,
                        const Tensor& values, int64_t heads) {
  check_tensor("cached_attention", "keys", keys, 4, kFloating);
  const PackedHeads parts("cached_attention", qkv, heads, keys.dim(1));
  if (wants_gradient(qkv) || wants_gradient(keys) || wants_gradient(values)) {
    throw UserError("cached_attention",
                    "expected inputs without a gradient, which a cache that is written has none of");
  }
  const auto [longest, squares] = check_offsets("cached_attention", offsets, qkv.dim(0));
  check_tensor("cached_attention", "lengths", lengths, 1, {DType::i32});
  check_shape("cached_attention", "lengths", lengths, {offsets.dim(0) - 1});
  for (const Tensor* part : {&keys, &values}) {
    const char* name = part == &keys ? "keys" : "values";
    check_tensor("cached_attention", name, *part, 4, kFloating);
    check_shape("cached_attention", name, *part, {lengths.dim(0), parts.key_heads, keys.dim(2), parts.head_size});
    check_dtype("cached_attention", name, *part, qkv.dtype());
    check_device("cached_attention", qkv, *part);
  }
  bool continues = false;
  const double pairs = check_lengths(offsets, lengths, keys.dim(2), continues);
  const Tensor new_offsets = beside(qkv, offsets), held = beside(qkv, lengths);
  const kernels::KeyValueCache cache = {.keys = keys.data(),
                                        .values = values.data(),
                                        .offsets = static_cast<const int32_t*>(new_offsets.data()),
                                        .lengths = static_cast<const int32_t*>(held.data()),
                                        .tokens = qkv.dim(0),
                                        .sequences = lengths.dim(0),
                                        .longest = longest,
                                        .capacity = keys.dim(2),
                                        .key_heads = parts.key_heads,
                                        .head_size = parts.head_size};
  kernels::cache_append({parts.keys(qkv), parts.values(qkv), cache, qkv.dim(1), qkv.dtype()}, stream_of(qkv));
  if (!continues) return attention(qkv, offsets, heads, {}, true, parts.key_heads);  // made for many queries
  Tensor out = Tensor::empty({qkv.dim(0), heads * parts.head_size}, qkv.dtype(), qkv.device());
  kernels::cached_attention({.q = parts.queries(qkv),
                             .cache = cache,
                             .out = out.data(),
                             .heads = heads,
                             .stride = qkv.dim(1),
                             .scale = 1.0 / std::sqrt(static_cast<double>(parts.head_size)),
                             .dtype = qkv.dtype(),
                             .pairs = pairs},
                            stream_of(qkv));
  return out;
}

}  // namespace suanli::ops
