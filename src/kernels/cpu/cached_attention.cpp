#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cached_attention.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cached_attention.h"
#include "kernels/cpu/attention-inl.h"
#include "kernels/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// The queries of one head of one sequence, one after another: keys and values stream from the cache.
template <class T>
void attend_as(const CachedAttention& a, int64_t sequence, int64_t head) {
  const KeyValueCache& cache = a.cache;
  const int64_t first = cache.offsets[sequence], queries = cache.offsets[sequence + 1] - first, size = cache.head_size;
  const int64_t group = a.heads / cache.key_heads, padded = whole_vectors(size);
  const int64_t place = (sequence * cache.key_heads + head / group) * cache.capacity * size;
  const T *k = static_cast<const T*>(cache.keys) + place, *v = static_cast<const T*>(cache.values) + place;
  float* query = local_scratch().get<float>(padded + whole_vectors(cache.lengths[sequence] + queries));
  float* scores = query + padded;
  for (int64_t i = 0; i < queries; ++i) {
    const int64_t keys = cache.lengths[sequence] + i + 1;
    convert(static_cast<const T*>(a.q) + (first + i) * a.stride + head * size, query, size);
    for (int64_t j = 0; j < keys; ++j) {
      Vector sum = hn::Zero(F32());
      each_vector(size, [&](int64_t c, int64_t n)
                            SUANLI_INLINE { sum = hn::MulAdd(load(query + c, n), load(k + j * size + c, n), sum); });
      scores[j] = sum_of(sum);
    }
    const RowSum total = exponentiate(scores, keys, static_cast<float>(a.scale), nullptr, scores);
    T* out = static_cast<T*>(a.out) + ((first + i) * a.heads + head) * size;
    const Vector share = hn::Set(F32(), 1.0F / total.sum);
    each_vector(size, [&](int64_t c, int64_t n) SUANLI_INLINE {
      Vector sum = hn::Zero(F32());
      for (int64_t j = 0; j < keys; ++j) {
        sum = hn::MulAdd(hn::Set(F32(), scores[j]), load(v + j * size + c, n), sum);
      }
      store(hn::Mul(sum, share), out + c, n);
    });
  }
}
void attend_over_cache(const CachedAttention& a, int64_t sequence, int64_t head) {
  a.dtype == DType::f32 ? attend_as<float>(a, sequence, head) : attend_as<bfloat16>(a, sequence, head);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(attend_over_cache);

void add_cached_attention() {
  cached_attention.add({"simd", DeviceType::cpu,
                        [](const CachedAttention& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                        [](const CachedAttention& a, Stream&) {
                          const bool small = a.pairs * static_cast<double>(a.heads * a.cache.head_size) < (1 << 17);
                          parallel_tasks(a.cache.sequences * a.heads, small, [&](int64_t task) {
                            HWY_DYNAMIC_DISPATCH(attend_over_cache)(a, task / a.heads, task % a.heads);
                          });
                        }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE
