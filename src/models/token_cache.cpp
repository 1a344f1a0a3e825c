#include "models/token_cache.h"

#include "ops/cached_attention.h"

namespace suanli::models {

TokenCache::TokenCache(const Options& o) : lengths(Tensor::zeros({o.sequences}, DType::i32)) {
  for (int64_t i = 0; i < o.layers; ++i) {
    for (auto* part : {&keys, &values}) {
      part->push_back(Tensor::empty({o.sequences, o.key_heads, o.capacity, o.head_size}, o.dtype, o.device));
    }
  }
}

void TokenCache::advance(const Tensor& offsets) {
  const auto ends = offsets.host<int32_t>();
  Tensor next = lengths.clone();  // the old one may be on its way to a device
  for (size_t b = 0; b + 1 < ends.size(); ++b) next.host<int32_t>()[b] += ends[b + 1] - ends[b];
  lengths = next;
}

void TokenCache::select(std::span<const int32_t> from) {
  bool moves = false;
  for (size_t b = 0; b < from.size(); ++b) moves = moves || from[b] != static_cast<int32_t>(b);
  if (!moves) return;
  const auto selected = [&](const Tensor& before) {
    Tensor after = Tensor::empty(before.shape(), before.dtype(), before.device());
    for (size_t b = 0; b < from.size(); ++b) {
      const auto to = static_cast<int64_t>(b);
      after.rows(to, to + 1).copy_from(before.rows(from[b], from[b] + 1));
    }
    return after;
  };
  for (auto* part : {&keys, &values}) {
    for (Tensor& layer : *part) layer = selected(layer);
  }
  lengths = selected(lengths);
}

void TokenCache::clear(size_t b) {
  Tensor next = lengths.clone();
  next.host<int32_t>()[b] = 0;
  lengths = next;
}

Tensor causal_attention(const Tensor& qkv, const Tensor& offsets, int64_t heads, int64_t key_heads,
                        const ops::DropoutKey& key, TokenCache* cache, size_t layer) {
  if (cache == nullptr) return ops::attention(qkv, offsets, heads, key, true, key_heads);
  return ops::cached_attention(qkv, offsets, cache->lengths, cache->keys[layer], cache->values[layer], heads);
}

}  // namespace suanli::models
