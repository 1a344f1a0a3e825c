// Attention over a cache of keys and values, with an online softmax: a warp for each query row and head. Its lanes take
// 32 keys for the scores, then the columns of a head for the sums.
#include "kernels/cached_attention.h"

namespace suanli::kernels::cuda {

constexpr int kWarps = 4;  ///< rows of a block
constexpr int kMostHeadSize = 256;

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

/// Sequence and place in it of a new token.
struct Place {
  int64_t sequence, place;
};
__device__ inline Place place_of(const KeyValueCache& cache, int64_t token) {
  int64_t low = 0, high = cache.sequences;  // offsets[low] <= token < offsets[high]
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (cache.offsets[middle] <= token ? low : high) = middle;
  }
  return {low, cache.lengths[low] + token - cache.offsets[low]};
}
/// The first element of place j.
__device__ inline int64_t row_of(const KeyValueCache& cache, int64_t sequence, int64_t head, int64_t j) {
  return ((sequence * cache.key_heads + head) * cache.capacity + j) * cache.head_size;
}

/// A thread for each element of the new keys.
template <class T>
__device__ void append(const CacheAppend& args) {
  const KeyValueCache& cache = args.cache;
  const int64_t width = cache.key_heads * cache.head_size;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= cache.tokens * width) return;
  const int64_t token = i / width, column = i % width, from = token * args.stride + column;
  const Place at = place_of(cache, token);
  const int64_t to = row_of(cache, at.sequence, column / cache.head_size, at.place) + column % cache.head_size;
  static_cast<T*>(cache.keys)[to] = static_cast<const T*>(args.k)[from];
  static_cast<T*>(cache.values)[to] = static_cast<const T*>(args.v)[from];
}

template <class T>
__device__ void attend(const CachedAttention& args) {
  using C = Compute<T>;
  constexpr int kColumns = kMostHeadSize / 32;  // of a lane
  __shared__ C queries[kWarps][kMostHeadSize];
  const KeyValueCache& cache = args.cache;
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32, size = cache.head_size;
  if (warp >= args.heads * cache.tokens) return;
  const int64_t head = warp / cache.tokens, token = warp % cache.tokens;
  const int lane = threadIdx.x % 32;
  const Place at = place_of(cache, token);
  const int64_t rows = row_of(cache, at.sequence, head / (args.heads / cache.key_heads), 0), end = at.place + 1;
  const T *keys = static_cast<const T*>(cache.keys) + rows, *values = static_cast<const T*>(cache.values) + rows;
  const T* query = static_cast<const T*>(args.q) + token * args.stride + head * size;
  C* q = queries[threadIdx.x / 32];
  for (int64_t d = lane; d < size; d += 32) q[d] = widen(query[d]);
  __syncwarp();
  const auto larger = [](C a, C b) { return a < b ? b : a; };
  C largest = -infinity<C>(), total = 0, sums[kColumns] = {};
  for (int64_t start = 0; start < end; start += 32) {
    const int count = static_cast<int>(min(int64_t{32}, end - start));
    const int64_t key = start + lane;
    C score = -infinity<C>();
    if (key < end) {
      C sum = 0;
      for (int64_t d = 0; d < size; d += kElements) {
        C x[kElements];
        load(keys + key * size + d, size - d, x);
#pragma unroll
        for (int e = 0; e < kElements; ++e) sum += d + e < size ? x[e] * q[d + e] : C{0};
      }
      score = static_cast<C>(args.scale) * sum;
    }
    const C before = largest;
    largest = larger(largest, warp_fold(score, larger));
    const C p = key < end ? exp(score - largest) : C{0}, shrink = before == largest ? C{1} : exp(before - largest);
    total = total * shrink + warp_sum(p);
#pragma unroll
    for (int i = 0; i < kColumns; ++i) sums[i] *= shrink;
    for (int j = 0; j < count; ++j) {
      const C weight = __shfl_sync(0xffffffffU, p, j);
#pragma unroll
      for (int i = 0; i < kColumns; ++i) {
        const int64_t d = lane + 32 * i;
        if (d < size) sums[i] += weight * widen(values[(start + j) * size + d]);
      }
    }
  }
  T* out = static_cast<T*>(args.out) + (token * args.heads + head) * size;
#pragma unroll
  for (int i = 0; i < kColumns; ++i) {
    const int64_t d = lane + 32 * i;
    if (d < size) out[d] = narrow<T>(sums[i] / total);
  }
}

SUANLI_KERNELS(cache_append, append, CacheAppend, 256)
SUANLI_KERNELS(cached_attention, attend, CachedAttention, kWarps * 32)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(cached_attention);

Refusal can_run(const CachedAttention& args, const Machine&) {
  if (args.cache.head_size > kMostHeadSize) return "a head has more than 256 columns";
  return refuse_not_floating(args.dtype);
}

void run_append(const CacheAppend& args, Stream& stream) {
  const int64_t elements = args.cache.tokens * args.cache.key_heads * args.cache.head_size;
  code.launch("cache_append", args.dtype, {.x = blocks_for(elements, 256)}, stream, args);
}
void run(const CachedAttention& args, Stream& stream) {
  code.launch("cached_attention", args.dtype,
              {.x = blocks_for(args.heads * args.cache.tokens, kWarps), .threads = kWarps * 32}, stream, args);
}

}  // namespace

void add_cached_attention() {
  add(cache_append, any_floating<CacheAppend>, run_append);
  add(cached_attention, can_run, run);
}

}  // namespace suanli::kernels::cuda

#endif
