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

/// Throws UserError unless every sequence fits the cache.
void check_lengths(std::span<const int32_t> ends, std::span<const int32_t> lengths, int64_t capacity) {
  for (size_t b = 0; b < lengths.size(); ++b) {
    const int64_t held = lengths[b], added = ends[b + 1] - ends[b];
    if (held < 0 || held + added > capacity) {
      throw UserError("cached_attention", "expected at most " + std::to_string(capacity) +
                                              " tokens in a sequence, got " + std::to_string(held) + " and " +
                                              std::to_string(added) + " new ones in sequence " + std::to_string(b));
    }
  }
}

/// Sequences first .. last-1 with new tokens all begin here, or all go on.
struct Run {
  size_t first, last;
  bool goes_on;
};

/// Where neighbours are of one kind; a sequence without new tokens is of any.
std::vector<Run> runs_of(std::span<const int32_t> ends, std::span<const int32_t> lengths) {
  std::vector<Run> runs;
  for (size_t b = 0; b < lengths.size(); ++b) {
    if (ends[b + 1] == ends[b]) continue;
    const bool goes_on = lengths[b] > 0;
    if (runs.empty() || runs.back().goes_on != goes_on) runs.push_back({b, b, goes_on});
    runs.back().last = b + 1;
  }
  return runs;
}

/// Of sequences that go on: their keys and values are in the cache, the new ones, too.
Tensor attend_over(const Tensor& qkv, const PackedHeads& parts, const kernels::KeyValueCache& cache,
                   std::span<const int32_t> ends, std::span<const int32_t> lengths) {
  double pairs = 0;
  for (size_t b = 0; b < lengths.size(); ++b) {
    const double held = lengths[b], added = ends[b + 1] - ends[b];
    pairs += added * held + added * (added + 1) / 2;
  }
  Tensor out = Tensor::empty({qkv.dim(0), parts.heads * parts.head_size}, qkv.dtype(), qkv.device());
  kernels::cached_attention({.q = parts.queries(qkv),
                             .cache = cache,
                             .out = out.data(),
                             .heads = parts.heads,
                             .stride = qkv.dim(1),
                             .scale = 1.0 / std::sqrt(static_cast<double>(parts.head_size)),
                             .dtype = qkv.dtype(),
                             .pairs = pairs},
                            stream_of(qkv));
  return out;
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
  const Tensor host_offsets = on_host(offsets), host_lengths = on_host(lengths);
  const auto ends = host_offsets.host<int32_t>(), before = host_lengths.host<int32_t>();
  check_lengths(ends, before, keys.dim(2));
  const std::vector<Run> runs = runs_of(ends, before);
  if (runs.size() > 1) {
    Tensor out = Tensor::empty({qkv.dim(0), heads * parts.head_size}, qkv.dtype(), qkv.device());
    for (const Run& run : runs) {
      std::vector<int32_t> own(ends.begin() + static_cast<std::ptrdiff_t>(run.first),
                               ends.begin() + static_cast<std::ptrdiff_t>(run.last) + 1);
      const int32_t begin = own.front(), end = own.back();
      for (int32_t& row : own) row -= begin;
      const auto first = static_cast<int64_t>(run.first), last = static_cast<int64_t>(run.last);
      out.rows(begin, end)
          .copy_from(cached_attention(qkv.rows(begin, end), Tensor::from(own, {last - first + 1}),
                                      lengths.rows(first, last), keys.rows(first, last), values.rows(first, last),
                                      heads));
    }
    return out;
  }
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
  if (!runs.empty() && runs.front().goes_on) return attend_over(qkv, parts, cache, ends, before);
  return attention(qkv, offsets, heads, {}, true, parts.key_heads);  // made for many queries
}

}  // namespace suanli::ops
