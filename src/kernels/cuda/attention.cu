// Attention for what the tiled kernels refuse (f64, other head sizes), with an online softmax: a warp for each query
// (forward, dq) or key (dk, dv). Its lanes take 32 keys (queries) for the scores, then the columns of a head for the
// sums.
#include "kernels/attention.h"

namespace suanli::kernels::cuda {

constexpr int kWarps = 4;  ///< rows of a block
constexpr int kMostHeadSize = 256;

/// The backward launch: delta [heads, tokens], what a query's gradients have in common.
struct AttentionGradient {
  AttentionBackward args;
  void* delta;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

constexpr int kColumns = kMostHeadSize / 32;  // of a lane

/// The row of this warp: one of `heads` heads, packed row, and the rows [begin, end) of its sequence. `valid` is the
/// same for all lanes.
struct Place {
  int64_t head, token, begin, end;
  bool valid;
  /// Of a query: behind the last key that takes part.
  __device__ int64_t end_of_keys(bool causal) const { return causal ? token + 1 : end; }
  /// Of a key: the first query that it takes part for.
  __device__ int64_t first_query(bool causal) const { return causal ? token : begin; }
};
template <class Args>
__device__ Place place_of_warp(const Args& args, int64_t heads) {
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
  Place place = {warp / args.tokens, warp % args.tokens, 0, 0, warp < heads * args.tokens};
  if (!place.valid) return place;
  int64_t low = 0, high = args.sequences;  // offsets[low] <= token < offsets[high]
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (args.offsets[middle] <= place.token ? low : high) = middle;
  }
  place.begin = args.offsets[low];
  place.end = args.offsets[low + 1];
  return place;
}

/// Row `token` of a query head in q and dq and in out and dout, and of a key head in k, v and their gradients.
template <class T, class Args, class P>
__device__ auto* operand_row(const Args& args, P* base, int64_t head, int64_t token) {
  using Element = std::conditional_t<std::is_const_v<P>, const T, T>;
  return static_cast<Element*>(base) + token * args.stride + head * args.head_size;
}
template <class T, class Args, class P>
__device__ auto* output_row(const Args& args, P* base, int64_t head, int64_t token) {
  using Element = std::conditional_t<std::is_const_v<P>, const T, T>;
  return static_cast<Element*>(base) + (token * args.heads + head) * args.head_size;
}

/// This warp's copy of a row, zeros behind it.
template <class T>
__device__ void keep_row(const T* row, int64_t size, Compute<T>* kept) {
  for (int64_t d = threadIdx.x % 32; d < kMostHeadSize; d += 32) kept[d] = d < size ? widen(row[d]) : Compute<T>{0};
  __syncwarp();
}

template <class T>
__device__ Compute<T> dot(const T* row, const Compute<T>* kept, int64_t size) {
  Compute<T> sum = 0;
  for (int64_t d = 0; d < size; d += kElements) {
    Compute<T> x[kElements], y[kElements];
    load(row + d, size - d, x);
    load(kept + d, kElements, y);
#pragma unroll
    for (int e = 0; e < kElements; ++e) sum += x[e] * y[e];
  }
  return sum;
}

/// sums[i] += weight * row[lane + 32 i].
template <class T>
__device__ void add_row(const T* row, int64_t size, Compute<T> weight, Compute<T> (&sums)[kColumns]) {
#pragma unroll
  for (int i = 0; i < kColumns; ++i) {
    const int64_t d = threadIdx.x % 32 + 32 * i;
    if (d < size) sums[i] += weight * widen(row[d]);
  }
}
template <class T>
__device__ void store_row(T* row, int64_t size, const Compute<T> (&sums)[kColumns]) {
#pragma unroll
  for (int i = 0; i < kColumns; ++i) {
    const int64_t d = threadIdx.x % 32 + 32 * i;
    if (d < size) row[d] = narrow<T>(sums[i]);
  }
}

/// The dropout factor of a query (packed row) and a key (packed row) of the same sequence.
template <class Args>
__device__ float factor(const Args& args, const Place& place, int64_t head, int64_t query, int64_t key) {
  if (args.dropout.probability == 0) return 1;
  const auto row = static_cast<uint64_t>(head * args.tokens + query);
  return dropout_factor_of(args.dropout, (row << 20) + static_cast<uint64_t>(key - place.begin));
}

template <class T>
__device__ void attend(const AttentionForward& args) {
  using C = Compute<T>;
  __shared__ __align__(16) C queries[kWarps][kMostHeadSize];
  const Place place = place_of_warp(args, args.heads);
  if (!place.valid) return;
  const int64_t end = place.end_of_keys(args.causal), key_head = place.head / args.group;
  C* q = queries[threadIdx.x / 32];
  keep_row(operand_row<T>(args, args.q, place.head, place.token), args.head_size, q);
  const auto larger = [](C a, C b) { return a < b ? b : a; };
  C largest = -infinity<C>(), total = 0, sums[kColumns] = {};
  for (int64_t start = place.begin; start < end; start += 32) {
    const int count = static_cast<int>(min(int64_t{32}, end - start));
    const int64_t key = start + threadIdx.x % 32;
    C score = -infinity<C>();
    if (key < end) {
      score = static_cast<C>(args.scale) * dot(operand_row<T>(args, args.k, key_head, key), q, args.head_size);
    }
    const C before = largest;
    largest = larger(largest, warp_fold(score, larger));
    const C p = key < end ? exp(score - largest) : C{0}, shrink = before == largest ? C{1} : exp(before - largest);
    total = total * shrink + warp_sum(p);
    const C kept = key < end ? p * factor(args, place, place.head, place.token, key) : C{0};
#pragma unroll
    for (int i = 0; i < kColumns; ++i) sums[i] *= shrink;
    for (int j = 0; j < count; ++j) {
      const C weight = __shfl_sync(0xffffffffU, kept, j);
      add_row(operand_row<T>(args, args.v, key_head, start + j), args.head_size, weight, sums);
    }
  }
#pragma unroll
  for (int i = 0; i < kColumns; ++i) sums[i] /= total;
  store_row(output_row<T>(args, args.out, place.head, place.token), args.head_size, sums);
  if (args.lse != nullptr && threadIdx.x % 32 == 0) {
    static_cast<C*>(args.lse)[place.head * args.tokens + place.token] = largest + log(total);
  }
}

/// delta = dout . out.
template <class T>
__device__ void delta_of_queries(const AttentionGradient& gradient) {
  using C = Compute<T>;
  const AttentionBackward& args = gradient.args;
  const Place place = place_of_warp(args, args.heads);
  if (!place.valid) return;
  const T *dout = output_row<T>(args, args.dout, place.head, place.token),
          *out = output_row<T>(args, args.out, place.head, place.token);
  C sum = 0;
  for (int64_t d = threadIdx.x % 32; d < args.head_size; d += 32) sum += widen(dout[d]) * widen(out[d]);
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) static_cast<C*>(gradient.delta)[place.head * args.tokens + place.token] = sum;
}

/// dq_i = sum_j ds[j] k_j.
template <class T>
__device__ void gradient_of_queries(const AttentionGradient& gradient) {
  using C = Compute<T>;
  __shared__ __align__(16) C rows[kWarps][2][kMostHeadSize];
  const AttentionBackward& args = gradient.args;
  const Place place = place_of_warp(args, args.heads);
  if (!place.valid) return;
  const int64_t end = place.end_of_keys(args.causal), key_head = place.head / args.group;
  C *q = rows[threadIdx.x / 32][0], *dout = rows[threadIdx.x / 32][1];
  keep_row(operand_row<T>(args, args.q, place.head, place.token), args.head_size, q);
  keep_row(output_row<T>(args, args.dout, place.head, place.token), args.head_size, dout);
  const int64_t at = place.head * args.tokens + place.token;
  const C lse = static_cast<const C*>(args.lse)[at], delta = static_cast<const C*>(gradient.delta)[at];
  const C scale = static_cast<C>(args.scale);
  C sums[kColumns] = {};
  for (int64_t start = place.begin; start < end; start += 32) {
    const int count = static_cast<int>(min(int64_t{32}, end - start));
    const int64_t key = start + threadIdx.x % 32;
    C ds = 0;
    if (key < end) {
      const C p = exp(scale * dot(operand_row<T>(args, args.k, key_head, key), q, args.head_size) - lse);
      const C dp = dot(operand_row<T>(args, args.v, key_head, key), dout, args.head_size);
      ds = p * (factor(args, place, place.head, place.token, key) * dp - delta) * scale;
    }
    for (int j = 0; j < count; ++j) {
      const C weight = __shfl_sync(0xffffffffU, ds, j);
      add_row(operand_row<T>(args, args.k, key_head, start + j), args.head_size, weight, sums);
    }
  }
  store_row(operand_row<T>(args, args.dq, place.head, place.token), args.head_size, sums);
}

/// dk_j = sum_i ds[i] q_i,  dv_j = sum_i f(i) p[i] dout_i.
template <class T>
__device__ void gradient_of_keys(const AttentionGradient& gradient) {
  using C = Compute<T>;
  __shared__ __align__(16) C rows[kWarps][2][kMostHeadSize];
  const AttentionBackward& args = gradient.args;
  const Place place = place_of_warp(args, args.heads / args.group);
  if (!place.valid) return;
  C *k = rows[threadIdx.x / 32][0], *v = rows[threadIdx.x / 32][1];
  keep_row(operand_row<T>(args, args.k, place.head, place.token), args.head_size, k);
  keep_row(operand_row<T>(args, args.v, place.head, place.token), args.head_size, v);
  const C scale = static_cast<C>(args.scale);
  C dk[kColumns] = {}, dv[kColumns] = {};
  for (int64_t head = place.head * args.group; head < (place.head + 1) * args.group; ++head) {
    for (int64_t start = place.first_query(args.causal); start < place.end; start += 32) {
      const int count = static_cast<int>(min(int64_t{32}, place.end - start));
      const int64_t query = start + threadIdx.x % 32;
      C ds = 0, kept = 0;
      if (query < place.end) {
        const int64_t at = head * args.tokens + query;
        const C lse = static_cast<const C*>(args.lse)[at], delta = static_cast<const C*>(gradient.delta)[at];
        const C p = exp(scale * dot(operand_row<T>(args, args.q, head, query), k, args.head_size) - lse);
        const C dp = dot(output_row<T>(args, args.dout, head, query), v, args.head_size);
        const C f = factor(args, place, head, query, place.token);
        kept = f * p;
        ds = p * (f * dp - delta) * scale;
      }
      for (int i = 0; i < count; ++i) {
        const C to_dk = __shfl_sync(0xffffffffU, ds, i), to_dv = __shfl_sync(0xffffffffU, kept, i);
        add_row(operand_row<T>(args, args.q, head, start + i), args.head_size, to_dk, dk);
        add_row(output_row<T>(args, args.dout, head, start + i), args.head_size, to_dv, dv);
      }
    }
  }
  store_row(operand_row<T>(args, args.dk, place.head, place.token), args.head_size, dk);
  store_row(operand_row<T>(args, args.dv, place.head, place.token), args.head_size, dv);
}

SUANLI_KERNELS(attention_forward, attend, AttentionForward, kWarps * 32)
SUANLI_KERNELS(attention_delta, delta_of_queries, AttentionGradient, kWarps * 32)
SUANLI_KERNELS(attention_backward_queries, gradient_of_queries, AttentionGradient, kWarps * 32, 1)
SUANLI_KERNELS(attention_backward_keys, gradient_of_keys, AttentionGradient, kWarps * 32, 1)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/cuda/add.h"
#include "kernels/cuda/attention_delta.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(attention);

template <class Args>
Refusal can_run(const Args& args, const Machine&) {
  if (args.head_size > kMostHeadSize) return "a head has more than 256 columns";
  return refuse_not_floating(args.dtype);
}

template <class Args>
Grid warp_for_each_row(const Args& args, int64_t heads) {
  return {.x = blocks_for(heads * args.tokens, kWarps), .threads = kWarps * 32};
}

void run_forward(const AttentionForward& args, Stream& stream) {
  code.launch("attention_forward", args.dtype, warp_for_each_row(args, args.heads), stream, args);
}

void run_backward(const AttentionBackward& args, Stream& stream) {
  const DType sums = accumulation_dtype(args.dtype);
  const Scratch delta(stream, args.heads * args.tokens * size_of(sums));
  const AttentionGradient gradient = {args, delta.memory()};
  attention_delta(args, delta.memory(), stream);
  code.launch("attention_backward_queries", args.dtype, warp_for_each_row(args, args.heads), stream, gradient);
  code.launch("attention_backward_keys", args.dtype, warp_for_each_row(args, args.heads / args.group), stream,
              gradient);
}

}  // namespace

void attention_delta(const AttentionBackward& args, void* delta, Stream& stream) {
  const AttentionGradient gradient = {args, delta};
  code.launch("attention_delta", args.dtype, warp_for_each_row(args, args.heads), stream, gradient);
}

void add_attention() {
  add_attention_flash_forward();
  add_attention_flash_backward();
  add_attention_tiled_forward();
  add_attention_tiled_backward();
  add(attention_forward, can_run<AttentionForward>, run_forward);
  add(attention_backward, can_run<AttentionBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
