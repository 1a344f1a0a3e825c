#include <cmath>
#include <limits>
#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {

/// The row of place j, head g of keys and values and sequence b.
int64_t place(const KeyValueCache& cache, int64_t b, int64_t g, int64_t j) {
  return ((b * cache.key_heads + g) * cache.capacity + j) * cache.head_size;
}

/// Calls f(b, t, j) for every new token: its sequence, its packed row and its place in the sequence.
template <class F>
void for_each_new_token(const KeyValueCache& cache, F&& f) {
  for (int64_t b = 0; b < cache.sequences; ++b) {
    for (int64_t t = cache.offsets[b]; t < cache.offsets[b + 1]; ++t) f(b, t, cache.lengths[b] + t - cache.offsets[b]);
  }
}

}  // namespace

void run(const CacheAppend& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    const int64_t size = args.cache.head_size;
    for_each_new_token(args.cache, [&](int64_t b, int64_t t, int64_t j) {
      for (int64_t g = 0; g < args.cache.key_heads; ++g) {
        const int64_t from = t * args.stride + g * size, to = place(args.cache, b, g, j);
        std::copy_n(in<T>(args.k) + from, size, out<T>(args.cache.keys) + to);
        std::copy_n(in<T>(args.v) + from, size, out<T>(args.cache.values) + to);
      }
    });
  });
}

void run(const CachedAttention& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const KeyValueCache& cache = args.cache;
    const int64_t size = cache.head_size, group = args.heads / cache.key_heads;
    std::vector<C> p, sum(static_cast<size_t>(size));
    for_each_new_token(cache, [&](int64_t b, int64_t t, int64_t last) {
      for (int64_t a = 0; a < args.heads; ++a) {
        const T* q = in<T>(args.q) + t * args.stride + a * size;
        const T* keys = in<T>(cache.keys) + place(cache, b, a / group, 0);
        const T* values = in<T>(cache.values) + place(cache, b, a / group, 0);
        p.assign(static_cast<size_t>(last + 1), C{0});
        C largest = -std::numeric_limits<C>::infinity(), total = 0;
        for (int64_t j = 0; j <= last; ++j) {
          C score = 0;
          for (int64_t d = 0; d < size; ++d) score += static_cast<C>(q[d]) * static_cast<C>(keys[j * size + d]);
          p[static_cast<size_t>(j)] = score *= static_cast<C>(args.scale);
          if (score > largest) largest = score;
        }
        for (C& value : p) total += value = std::exp(value - largest);
        std::fill(sum.begin(), sum.end(), C{0});
        for (int64_t j = 0; j <= last; ++j) {
          const C weight = p[static_cast<size_t>(j)] / total;
          for (int64_t d = 0; d < size; ++d) {
            sum[static_cast<size_t>(d)] += weight * static_cast<C>(values[j * size + d]);
          }
        }
        T* row = out<T>(args.out) + (t * args.heads + a) * size;
        for (size_t d = 0; d < sum.size(); ++d) row[d] = static_cast<T>(sum[d]);
      }
    });
  });
}

}  // namespace suanli::kernels::ref
